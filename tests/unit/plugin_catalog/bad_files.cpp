#include "bad_files.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "shared_objects/shared_object.h"
#include "test_modules.h"

namespace freshet::gallery {
using namespace core;
namespace {

using test_modules::error_of;
using test_modules::Patient;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

template <class Change>
std::string marked(Change change) {
  Patient patient("marked");
  change(patient);
  return patient.bytes;
}
template <class Change>
std::string with_elf(Change change) {
  return marked([&](Patient& patient) { patient.elf(change); });
}
template <class Change>
std::string with_segment(std::uint32_t type, Change change) {
  return marked([&](Patient& patient) { patient.segment(type, change); });
}
template <class Change>
std::string with_note(Change change) {
  return marked([&](Patient& patient) { patient.note(change); });
}
template <class Change>
std::string with_entry(Change change) {
  return marked([&](Patient& patient) { patient.entry(change); });
}
template <class Change>
std::string with_symbol(Change change) {
  return marked([&](Patient& patient) { patient.entry_symbol(change); });
}
std::string with_dynamic(std::int64_t tag, std::uint64_t value) {
  return marked([&](Patient& patient) { patient.dynamic(tag, value); });
}
std::string with_tag(const char* from, const char* to) {
  return marked([&](Patient& patient) { patient.tag(from, to); });
}
std::string module(const char* name) { return test_modules::content(test_modules::path(name)); }

std::vector<BadBytes> bad_elf() {
  return {
      {"empty", "", {"is empty", "build or copy it again"}},
      {"text", "hello world, this is a text and not a plugin", {"is not an ELF file", "give a"}},
      {"an archive", "!<arch>\nx.o/", {"is not an ELF file", "give a shared object"}},
      {"only the magic", "\177ELF", {"64 bytes", "4 bytes", "truncated"}},
      {"32 bit",
       with_elf([](auto& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }),
       {"32 bit", "64 bit", "build it for"}},
      {"no bits",
       with_elf([](auto& h) { h.e_ident[EI_CLASS] = 7; }),
       {"? bit", "64 bit", "build it for"}},
      {"big-endian",
       with_elf([](auto& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; }),
       {"big-endian", "little-endian", "build it for"}},
      {"another machine",
       with_elf([](auto& h) { h.e_machine = EM_S390; }),
       {"s390", "this host is", "build it for"}},
      {"an unheard-of machine",
       with_elf([](auto& h) { h.e_machine = 40000; }),
       {"machine number 40000", "this host is", "build it for"}},
      {"an object file", with_elf([](auto& h) { h.e_type = ET_REL; }), {"object file", "-shared"}},
      {"a core dump", with_elf([](auto& h) { h.e_type = ET_CORE; }), {"core dump", "-shared"}},
      {"no type", with_elf([](auto& h) { h.e_type = 77; }), {"type 77", "has 3", "build it again"}},
      {"an executable",
       with_elf([](auto& h) { h.e_type = ET_EXEC; }),
       {"is an executable", "-shared -fPIC", "FRESHET_APPLICATION"}},
      {"no program headers",
       with_elf([](auto& h) { h.e_phnum = 0; }),
       {"0 program headers", "56", "build it again"}},
      {"small program headers",
       with_elf([](auto& h) { h.e_phentsize = 8; }),
       {"program headers of 8 bytes", "56", "build it again"}},
      {"headers out of the file",
       with_elf([](auto& h) { h.e_phoff = ~std::uint64_t{0} - 8; }),
       {"program header table", "18446744073709551607", "truncated or damaged"}},
      {"a segment out of the file",
       with_segment(PT_LOAD, [](auto& s) { s.p_filesz = 1 << 30; }),
       {"a segment should be 1073741824 bytes", "the file has", "truncated or damaged"}},
      {"sections out of the file",
       with_elf([](auto& h) { h.e_shoff = 1 << 30; }),
       {"section headers", "1073741824", "the file has", "truncated or damaged"}},
      {"no dynamic segment",
       with_segment(PT_DYNAMIC, [](auto& s) { s.p_type = PT_NULL; }),
       {"no dynamic segment", "-shared"}},
      {"an endless dynamic segment",
       with_segment(PT_DYNAMIC, [](auto& s) { s.p_offset = 0, s.p_filesz = 2 << 20; }) +
           std::string(4 << 20, '\0'),
       {"dynamic segment is 2097152 bytes", "at most 1048576", "build it again"}},
      {"an endless note segment",
       with_segment(PT_NOTE, [](auto& s) { s.p_offset = 0, s.p_filesz = 2 << 20; }) +
           std::string(4 << 20, '\0'),
       {"note segment is 2097152 bytes", "at most 1048576", "build it again"}},
      {"a table of symbols that is nowhere",
       with_dynamic(DT_SYMTAB, 1ULL << 60),
       {"the symbol table is said to be", "no segment", "build it again"}},
      {"a table of hashes that is nowhere",
       with_dynamic(DT_GNU_HASH, 1ULL << 60),
       {"the hash table is said to be", "no segment", "build it again"}},
      {"a table of strings that is nowhere",
       with_dynamic(DT_STRTAB, 1ULL << 60),
       {"the string table is said to be", "no segment", "build it again"}},
      {"a needed library whose name is nowhere",
       with_dynamic(DT_NEEDED, 1 << 30),
       {"a name should stand at 1073741824", "which has", "build it again"}},
  };
}

// What the loader follows without a look.
std::vector<BadBytes> bad_loader_tables() {
  return {
      {"DT_RELA of 1ULL << 40",
       with_dynamic(DT_RELA, 1ULL << 40),
       {"the table of relocations is said to be", "1099511627776", "no segment", "build it again"}},
      {"DT_RELASZ of 24ULL << 40",
       with_dynamic(DT_RELASZ, 24ULL << 40),
       {"the table of relocations is said to be", "no segment", "build it again"}},
      {"DT_RELASZ of 25",
       with_dynamic(DT_RELASZ, 25),
       {"25 bytes in entries of 24", "whole ones of 24", "build it again"}},
      {"DT_RELAENT of 7",
       with_dynamic(DT_RELAENT, 7),
       {"in entries of 7", "whole ones of 24", "build it again"}},
      {"DT_JMPREL of 1ULL << 40",
       with_dynamic(DT_JMPREL, 1ULL << 40),
       {"the table of relocations of calls is said to be", "no segment", "build it again"}},
      {"DT_PLTRELSZ of 24ULL << 40",
       with_dynamic(DT_PLTRELSZ, 24ULL << 40),
       {"the table of relocations of calls is said to be", "no segment", "build it again"}},
      {"DT_PLTREL of 17",
       with_dynamic(DT_PLTREL, 17),
       {"relocations of type 17", "takes type 7", "build it again"}},
      {"DT_PLTGOT of 1ULL << 40",
       with_dynamic(DT_PLTGOT, 1ULL << 40),
       {"the table of calls is said to be", "no segment", "build it again"}},
      {"DT_INIT of 1ULL << 40",
       with_dynamic(DT_INIT, 1ULL << 40),
       {"the first function to call", "1099511627776", "no segment of code", "build it again"}},
      {"DT_INIT of 64",
       with_dynamic(DT_INIT, 64),
       {"the first function to call", "address 64", "no segment of code", "build it again"}},
      {"DT_FINI of 1ULL << 40",
       with_dynamic(DT_FINI, 1ULL << 40),
       {"the last function to call", "no segment of code", "build it again"}},
      {"DT_INIT_ARRAY of 1ULL << 40",
       with_dynamic(DT_INIT_ARRAY, 1ULL << 40),
       {"the table of constructors is said to be", "no segment", "build it again"}},
      {"DT_INIT_ARRAYSZ of 8ULL << 40",
       with_dynamic(DT_INIT_ARRAYSZ, 8ULL << 40),
       {"the table of constructors is said to be", "no segment", "build it again"}},
      {"DT_FINI_ARRAY of 1ULL << 40",
       with_dynamic(DT_FINI_ARRAY, 1ULL << 40),
       {"the table of destructors is said to be", "no segment", "build it again"}},
      {"DT_FINI_ARRAYSZ of 8ULL << 40",
       with_dynamic(DT_FINI_ARRAYSZ, 8ULL << 40),
       {"the table of destructors is said to be", "no segment", "build it again"}},
      {"DT_VERSYM of 1ULL << 40",
       with_dynamic(DT_VERSYM, 1ULL << 40),
       {"the table of versions is said to be", "no segment", "build it again"}},
      {"DT_VERNEED of 1ULL << 40",
       with_dynamic(DT_VERNEED, 1ULL << 40),
       {"the table of needed versions is said to be", "no segment", "build it again"}},
      {"DT_STRSZ of 1ULL << 40",
       with_dynamic(DT_STRSZ, 1ULL << 40),
       {"the string table is said to be 1099511627776", "no segment", "build it again"}},
  };
}

std::vector<BadBytes> bad_notes() {
  return {
      {"no note", module("no_note"), {"no Freshet note", "FRESHET_APPLICATION"}},
      {"two notes",
       module("two_notes"),
       {"2 Freshet notes", "has 1", "one plugin or application macro"}},
      {"a note of lying content length",
       marked([](Patient& p) { p.note_header(8, 0xfffffff0, 1); }),
       {"4294967280", "left", "damaged"}},
      {"a note of lying owner length",
       marked([](Patient& p) { p.note_header(0xffffffff, 408, 1); }),
       {"4294967295", "left", "damaged"}},
      {"a note of short content",
       marked([](Patient& p) {
         p.note_header(8, 16, 1);
         p.bytes.replace(p.note_at() + 16, sizeof(freshet_note_v1) - 16,
                         sizeof(freshet_note_v1) - 16, '\0');
       }),
       {"is 16 bytes", "24 are needed", "build it again"}},
      {"a note of another type",
       marked([](Patient& p) { p.note_header(8, 408, 9); }),
       {"no Freshet note"}},
      {"wrong magic",
       with_note([](auto& n) { n.magic[0] = 'X'; }),
       {"its note begins with 'XRESHET'", "'FRESHET'", "build it again"}},
      {"an older ABI",
       with_note([](auto& n) { n.abi_version = 0; }),
       {"the SDK 0.1.0 of ABI version 0", "Freshet 0.1.0 that runs ABI version 2",
        "build it again with this Freshet's SDK"}},
      {"another SDK of another ABI",
       module("earlier_sdk"),
       {"the SDK 0.0.9 of ABI version 1", "Freshet 0.1.0 that runs ABI version 2",
        "build it again with this Freshet's SDK"}},
      {"a newer ABI",
       with_note([](auto& n) { n.abi_version = 7; }),
       {"the SDK 0.1.0 of ABI version 7", "Freshet 0.1.0 that runs ABI version 2",
        "use a newer Freshet"}},
      {"a lying struct size",
       with_note([](auto& n) { n.struct_size = 4; }),
       {"says 4", "has 408", "build it again"}},
      {"an unknown kind",
       with_note([](auto& n) { n.kind = 77; }),
       {"kind 77", "1 to 10", "use a newer Freshet"}},
      {"a reserved kind",
       with_note([](auto& n) { n.kind = FRESHET_KIND_STATE_BACKEND; }),
       {"state backend", "does not exist yet", "use a newer Freshet"}},
      {"an endless name",
       with_note([](auto& n) { std::memset(n.name, 'a', sizeof n.name); }),
       {"name", "64 bytes", "build it again"}},
      {"no name", with_note([](auto& n) { n.name[0] = '\0'; }), {"named ''", "another name"}},
      {"odd characters in its name",
       with_note([](auto& n) { std::strcpy(n.name, "a/../\033[1m"); }),
       {"'a/../?[1m'", "a-z 0-9", "another name"}},
      {"a name that hides",
       with_note([](auto& n) { std::strcpy(n.name, ".alpha"); }),
       {"'.alpha'", "begins with a letter", "another name"}},
      {"odd characters in its version",
       with_note([](auto& n) { n.version[0] = '\n'; }),
       {"version", "'?.2.3'", "printable ASCII"}},
      {"no version of the SDK",
       with_note([](auto& n) { n.sdk_version[0] = '\0'; }),
       {"SDK version", "empty", "build it again"}},
      {"no build tag",
       with_note([](auto& n) { n.build_tag[0] = '\0'; }),
       {"build tag", "empty", "build it again"}},
  };
}

std::vector<BadBytes> bad_builds() {
  return {
      {"another standard library",
       with_tag("stdlib=libstdc++", "stdlib=libc++"),
       {"standard library 'libc++'", "'libstdc++'", "same standard library"}},
      {"another ABI of it",
       with_tag("cxx11", "before-cxx11"),
       {"'before-cxx11'", "'cxx11'", "_GLIBCXX_USE_CXX11_ABI"}},
      {"its debug mode",
       with_tag("stdlib-debug=no", "stdlib-debug=yes"),
       {"debug mode", "'yes'", "'no'", "_GLIBCXX_DEBUG"}},
      {"another Boost", with_tag("boost=1_", "boost=9_"), {"Boost '9_", "with '1_", "SDK"}},
      {"a sanitizer",
       with_tag("sanitizer=", "sanitizer=memory-"),
       {"sanitizer 'memory-", "-fsanitize"}},
      {"instructions that this host lacks",
       with_tag("isa=", "isa=x86-64-v9+"),
       {"'x86-64-v9'", "this host is 'x86-64", "build it with -march=x86-64"}},
      {"a build tag without fields",
       with_note([](auto& n) { std::strcpy(n.build_tag, "none"); }),
       {"'none stated'", "'libstdc++'", "same standard library"}},
      {"a Boost.Fiber of its own",
       module("own_fibers"),
       {"Boost.Fiber of its own", "libboost_fiber.so", "link the shared one"}},
      {"a Boost.Context of its own",
       module("own_contexts"),
       {"Boost.Context of its own", "libboost_context.so", "link the shared one"}},
  };
}

std::vector<BadBytes> bad_entries() {
  return {
      {"no entry", module("no_entry"), {"does not export", "'freshet_plugin'", "version script"}},
      {"an entry that is not defined",
       with_symbol([](auto& s) { s.st_shndx = SHN_UNDEF; }),
       {"does not export", "'freshet_plugin'", "version script"}},
      {"an entry that is small",
       with_symbol([](auto& s) { s.st_size = 40; }),
       {"a constant of 40 bytes", "a constant of 88 bytes", "build it again"}},
      {"an entry that is a function",
       with_symbol([](auto& s) { s.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC); }),
       {"no constant", "a constant of 88 bytes", "build it again"}},
      {"an entry that is nowhere",
       with_symbol([](auto& s) { s.st_value = 1ULL << 60; }),
       {"the entry is said to be 24 bytes", "no segment", "build it again"}},
      {"an entry of wrong magic",
       with_entry([](auto& e) { e.magic[6] = 'S'; }),
       {"its entry begins with 'FRESHES'", "'FRESHET'", "build it again"}},
      {"an entry of another ABI than its note's",
       with_entry([](auto& e) { e.abi_version = 3; }),
       {"its entry says ABI version 3", "its note 2", "build it again"}},
      {"an entry of lying size",
       with_entry([](auto& e) { e.struct_size = 80; }),
       {"its entry says executor of 80 bytes", "its note executor of 88", "build it again"}},
      {"another kind than its entry",
       with_note([](auto& n) { n.kind = FRESHET_KIND_DEPLOYER; }),
       {"its entry says executor", "its note deployer", "build it again"}},
  };
}

}  // namespace

std::vector<BadBytes> bad_bytes() {
  std::vector<BadBytes> all;
  for (const auto& group :
       {bad_elf(), bad_loader_tables(), bad_notes(), bad_builds(), bad_entries()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

std::vector<Refusal> of_bytes() {
  const ScratchFolder folder;
  std::vector<Refusal> refusals;
  for (const BadBytes& bad : bad_bytes()) {
    const fs::path file = folder.write("bad.so", bad.bytes);
    refusals.push_back({bad.what, error_of<RefusedFile>([&] { read_compatible_file(file); }),
                        file.native(), bad.said});
  }
  return refusals;
}

std::vector<BadFile> put_odd_files(const fs::path& folder) {
  fs::create_directory(folder / "folder.so");
  EXPECT_EQ(::mkfifo((folder / "fifo.so").c_str(), 0600), 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "socket.so").native().copy(address.sun_path, sizeof address.sun_path - 1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  fs::create_symlink("/dev/null", folder / "device.so");
  fs::create_symlink("gone", folder / "dangling.so");
  fs::create_symlink("loop.so", folder / "loop.so");
  return {
      {"a folder", folder / "folder.so", {"is a folder", "regular file", "give the path"}},
      {"a fifo", folder / "fifo.so", {"is a fifo", "regular file", "give the path"}},
      {"a socket", folder / "socket.so", {"is a socket", "regular file", "give the path"}},
      {"a device", folder / "device.so", {"is a device", "regular file", "give the path"}},
      {"a dangling link", folder / "dangling.so", {"link to 'gone'", "mend the link"}},
      {"a loop of links", folder / "loop.so", {"leads back to itself", "mend the link"}},
  };
}

std::vector<Refusal> of_odd_files() {
  const ScratchFolder folder;
  std::vector<Refusal> refusals;
  const auto add = [&](const char* what, const fs::path& file, std::vector<std::string> said) {
    refusals.push_back(
        {what, error_of<RefusedFile>([&] { read_plugin_file(file); }), file.native(), said});
  };
  for (const BadFile& odd : put_odd_files(folder.path())) add(odd.what.c_str(), odd.file, odd.said);
  add("what is not there", folder / "absent.so", {"does not exist", "check the path"});
  add("a file below a file", folder.write("file", "x") / "x.so", {"Not a directory", "check the"});
  add("a program", "/proc/self/exe", {"is an executable", "-shared", "FRESHET_APPLICATION"});

  const fs::path closed = folder.write("closed.so", "x");
  EXPECT_EQ(::chmod(closed.c_str(), 0), 0);
  EXPECT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  // root reads everything, so it becomes nobody for a moment.
  const uid_t user = ::geteuid();
  EXPECT_EQ(::seteuid(user == 0 ? 65534 : user), 0);
  add("an unreadable file", closed, {"Permission denied", "make it readable for this user"});
  EXPECT_EQ(::seteuid(user), 0);
  return refusals;
}

std::vector<Refusal> of_changing_files() {
  const ScratchFolder folder;
  std::vector<Refusal> refusals;
  const std::string bytes = module("alpha");
  const auto add = [&](const char* what, const fs::path& file, auto call,
                       std::vector<std::string> said) {
    refusals.push_back({what, error_of<RefusedFile>(call), file.native(), said});
  };
  {
    const fs::path file = folder.write("written.so", bytes);
    const ElfFile open(file);
    folder.write("written.so", bytes + "more");
    add("written to while it is read", file, [&] { open.check_unchanged(); },
        {"was replaced or written to", "try again"});
  }
  {
    const fs::path file = folder.write("replaced.so", bytes);
    const ElfFile open(file);
    fs::rename(folder.write("other", bytes), file);
    add("replaced while it is read", file, [&] { open.check_unchanged(); },
        {"was replaced or written to", "try again"});
  }
  {
    const fs::path file = folder.write("removed.so", bytes);
    const ElfFile open(file);
    fs::remove(file);
    add("removed while it is read", file, [&] { open.check_unchanged(); },
        {"was replaced or written to", "try again"});
  }
  {
    const fs::path file = folder.write("cut.so", bytes);
    const ElfFile open(file);
    fs::resize_file(file, 100);
    add("cut while it is read", file, [&] { open.notes_of(FRESHET_NOTE_OWNER); },
        {"became shorter", "try again"});
  }
  {
    const fs::path file = folder.write("listed.so", bytes);
    const PluginFile read = read_compatible_file(file);
    fs::rename(folder.write("other", module("beta")), file);
    add("replaced since it was listed", file, [&] { load_shared_object(read); },
        {"was replaced since it was listed", "start again"});
  }
  return refusals;
}

std::vector<Refusal> of_what_is_missing() {
  const ScratchFolder folder;
  std::vector<Refusal> refusals;
  const auto add = [&](const char* what, const std::string& bytes, std::vector<std::string> said) {
    const fs::path file = folder.write("needy.so", bytes);
    const PluginFile read = read_compatible_file(file);
    refusals.push_back(
        {what, error_of<RefusedFile>([&] { load_shared_object(read); }), file.native(), said});
  };
  std::string needy = module("missing_library");
  needy.replace(needy.find("libfreshet-test-elsewhere.so"), 28, "libfreshet-test-nowhere-x.so");
  add("a missing library", needy, {"libfreshet-test-nowhere-x.so", "install what is missing"});
  add("an undefined symbol", module("undefined_symbol"),
      {"from_elsewhere", "install what is missing"});
  const fs::path beside = folder.write("libfreshet-test-nowhere-x.so", "no library");
  add("a bad library beside it", needy,
      {"needs the library", beside.native(), "which is not an ELF file", "give a shared object"});
  folder.write("libfreshet-test-nowhere-x.so", module("own_fibers"));
  add("a library with Boost.Fiber of its own", needy,
      {beside.native(), "Boost.Fiber of its own", "link the shared one"});
  folder.write("libfreshet-test-nowhere-x.so", module("libfreshet-test-elsewhere"));
  ::setenv("TMPDIR", "/nowhere", 1);
  add("no folder for loading", needy, {"can't be made: ", "let TMPDIR be a folder"});
  ::unsetenv("TMPDIR");
  EXPECT_EQ(::chmod(beside.c_str(), 0666), 0);
  add("a library that anybody may write to", needy, {beside.native(), "anybody may", "chmod o-w"});
  return refusals;
}

}  // namespace freshet::gallery
