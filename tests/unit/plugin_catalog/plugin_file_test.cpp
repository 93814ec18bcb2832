#include "plugin_catalog/plugin_file.h"

#include <sys/stat.h>

#include <random>

#include "plugin_catalog/shared_object.h"
#include "test_modules.h"

namespace freshet {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::Marker;
using test_modules::Patient;
using test_modules::ScratchFolder;

TEST(PluginFile, TellsWhoAPluginIsWithoutRunningIt) {
  ScratchFolder folder;
  const Marker marker(folder);
  const PluginFile file = read_compatible_file(test_modules::path("alpha"));
  EXPECT_EQ(file.identity.name, "alpha");
  EXPECT_EQ(file.identity.version, "1.2.3");
  EXPECT_EQ(file.identity.sdk_version, FRESHET_VERSION_STRING);
  EXPECT_EQ(file.identity.kind, std::uint32_t{FRESHET_KIND_CONNECTOR});
  EXPECT_TRUE(contains(file.identity.build_tag, "stdlib=libstdc++;stdlib-abi=cxx11"))
      << file.identity.build_tag;
  EXPECT_FALSE(file.needed_libraries.empty());
  EXPECT_FALSE(marker.is_there());
  load_shared_object(file);
  EXPECT_TRUE(marker.is_there());  // so its absence does mean that nothing ran
}

TEST(PluginFile, AnApplicationWithoutANameIsNamedAfterItsFile) {
  const PluginFile file = read_plugin_file(test_modules::path("count_arguments"));
  EXPECT_EQ(file.identity.name, "count_arguments");
  EXPECT_EQ(file.identity.kind, std::uint32_t{FRESHET_KIND_APPLICATION});
}

TEST(PluginFile, TheFirstBytesOfTheContractAreFrozen) {
  EXPECT_EQ(offsetof(freshet_plugin_v1, magic), 0u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, struct_size), 8u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, abi_version), 12u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, kind), 16u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, name), 24u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, version), 32u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, sdk_version), 40u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, build_tag), 48u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, create), 56u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, destroy), 64u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, main), 72u);
  EXPECT_EQ(offsetof(freshet_plugin_v1, operators), 80u);
  EXPECT_EQ(sizeof(freshet_plugin_v1), 88u);
  EXPECT_EQ(offsetof(freshet_note_v1, struct_size), 8u);
  EXPECT_EQ(offsetof(freshet_note_v1, kind), 16u);
  EXPECT_EQ(offsetof(freshet_note_v1, name), 24u);
  EXPECT_EQ(offsetof(freshet_note_v1, version), 88u);
  EXPECT_EQ(offsetof(freshet_note_v1, sdk_version), 120u);
  EXPECT_EQ(offsetof(freshet_note_v1, build_tag), 152u);
  EXPECT_EQ(sizeof(freshet_note_v1), 408u);
  EXPECT_EQ(offsetof(freshet_elf_note, content), 20u);
}

struct BadFile {
  std::string what;
  std::string bytes;
  std::vector<std::string> said;  // what the refusal holds: both values and the mend
};

std::vector<BadFile> gallery() {
  const auto bytes = [](auto change) {
    Patient patient("alpha");
    change(patient);
    return patient.bytes;
  };
  const auto with_note = [&](auto change) {
    return bytes([&](Patient& patient) { patient.note(change); });
  };
  const auto with_tag = [&](const char* from, const char* to) {
    return bytes([&](Patient& patient) { patient.tag(from, to); });
  };
  const auto with_elf = [&](auto change) {
    return bytes([&](Patient& patient) { patient.elf(change); });
  };
  return {
      {"empty", "", {"is empty", "build or copy it again"}},
      {"text", "hello world, this is a text and not a plugin", {"'hell'", "not an ELF file"}},
      {"only the magic", "\177ELF", {"64 bytes", "4 bytes", "truncated"}},
      {"32 bit",
       with_elf([](auto& h) { h.e_ident[EI_CLASS] = ELFCLASS32; }),
       {"32 bit", "64 bit", "build it for"}},
      {"big-endian",
       with_elf([](auto& h) { h.e_ident[EI_DATA] = ELFDATA2MSB; }),
       {"big-endian", "little-endian", "build it for"}},
      {"another machine",
       with_elf([](auto& h) { h.e_machine = EM_S390; }),
       {"s390", "this host is", "build it for"}},
      {"an object file", with_elf([](auto& h) { h.e_type = ET_REL; }), {"object file", "-shared"}},
      {"an executable",
       with_elf([](auto& h) { h.e_type = ET_EXEC; }),
       {"is an executable", "-shared -fPIC", "FRESHET_APPLICATION"}},
      {"no program headers",
       with_elf([](auto& h) { h.e_phnum = 0; }),
       {"0 program headers", "56", "build it again"}},
      {"headers out of the file",
       with_elf([](auto& h) { h.e_phoff = ~std::uint64_t{0} - 8; }),
       {"program header table", "18446744073709551607", "truncated or damaged"}},
      {"no note",
       test_modules::content(test_modules::path("no_note")),
       {"no Freshet note", "FRESHET_APPLICATION"}},
      {"two notes",
       test_modules::content(test_modules::path("two_notes")),
       {"2 Freshet notes", "has 1", "one plugin or application macro"}},
      {"no entry",
       test_modules::content(test_modules::path("no_entry")),
       {"does not export", "'freshet_plugin'", "version script"}},
      {"a note of lying content length",
       bytes([](Patient& p) { p.note_header(8, 0xfffffff0, 1); }),
       {"4294967280", "left", "damaged"}},
      {"a note of lying owner length",
       bytes([](Patient& p) { p.note_header(0xffffffff, 408, 1); }),
       {"4294967295", "left", "damaged"}},
      {"a note of short content",
       bytes([](Patient& p) {
         p.note_header(8, 16, 1);
         p.bytes.replace(p.note_at() + 16, sizeof(freshet_note_v1) - 16,
                         sizeof(freshet_note_v1) - 16, '\0');
       }),
       {"is 16 bytes", "24 are needed", "build it again"}},
      {"a note of another type",
       bytes([](Patient& p) { p.note_header(8, 408, 9); }),
       {"no Freshet note"}},
      {"wrong magic",
       with_note([](auto& n) { n.magic[0] = 'X'; }),
       {"'XRESHET'", "'FRESHET'", "build it again"}},
      {"an older ABI",
       with_note([](auto& n) { n.abi_version = 0; }),
       {"ABI version 0", "ABI version 1", "build it again with this Freshet's SDK"}},
      {"a newer ABI",
       with_note([](auto& n) { n.abi_version = 7; }),
       {"ABI version 7", "ABI version 1", "use a newer Freshet"}},
      {"a lying struct size",
       with_note([](auto& n) { n.struct_size = 4; }),
       {"says 4", "has 408", "build it again"}},
      {"an unknown kind",
       with_note([](auto& n) { n.kind = 77; }),
       {"kind 77", "1 to 10", "use a newer Freshet"}},
      {"a reserved kind",
       with_note([](auto& n) { n.kind = FRESHET_KIND_STATE_BACKEND; }),
       {"state backend", "does not exist yet", "use a newer Freshet"}},
      {"another kind than its entry",
       with_note([](auto& n) { n.kind = FRESHET_KIND_EXECUTOR; }),
       {"its entry says connector", "its note executor", "build it again"}},
      {"an endless name",
       with_note([](auto& n) { std::memset(n.name, 'a', sizeof n.name); }),
       {"name", "64 bytes", "build it again"}},
      {"no name", with_note([](auto& n) { n.name[0] = '\0'; }), {"named ''", "another name"}},
      {"odd characters in its name",
       with_note([](auto& n) { std::strcpy(n.name, "a/../\033[1m"); }),
       {"'a/../?[1m'", "a-z 0-9", "another name"}},
      {"odd characters in its version",
       with_note([](auto& n) { n.version[0] = '\n'; }),
       {"version", "'?.2.3'", "printable ASCII"}},
      {"another standard library",
       with_tag("stdlib=libstdc++", "stdlib=libc++"),
       {"standard library 'libc++'", "'libstdc++'", "same standard library"}},
      {"another ABI of it",
       with_tag("cxx11", "before-cxx11"),
       {"'before-cxx11'", "'cxx11'", "_GLIBCXX_USE_CXX11_ABI"}},
      {"its debug mode",
       with_tag("stdlib-debug=no", "stdlib-debug=yes"),
       {"debug mode", "'yes'", "'no'", "_GLIBCXX_DEBUG"}},
      {"another SDK ABI", with_tag("sdk-abi=1", "sdk-abi=2"), {"SDK ABI '2'", "'1'", "SDK"}},
      {"another Boost", with_tag("boost=1_", "boost=9_"), {"Boost '9_", "with '1_", "SDK"}},
      {"a sanitizer",
       with_tag("sanitizer=", "sanitizer=memory-"),
       {"sanitizer 'memory-", "-fsanitize"}},
      {"instructions that this host lacks",
       with_tag("isa=", "isa=x86-64-v9+"),
       {"'x86-64-v9'", "this host does not have", "older -march"}},
      {"no build tag",
       with_note([](auto& n) { n.build_tag[0] = '\0'; }),
       {"build tag", "empty", "build it again"}},
      {"a build tag without fields",
       with_note([](auto& n) { std::strcpy(n.build_tag, "none"); }),
       {"'none stated'", "'libstdc++'", "same standard library"}},
  };
}

TEST(PluginFile, EveryBadFileIsRefusedWithItsOwnWordsAndNoneOfItsCodeRuns) {
  ScratchFolder folder;
  const Marker marker(folder);
  for (const BadFile& bad : gallery()) {
    SCOPED_TRACE(bad.what);
    const auto file = folder.write("bad.so", bad.bytes);
    const std::string error = error_of<RefusedFile>([&] { read_compatible_file(file); });
    EXPECT_TRUE(contains(error, file.native() + ": ")) << error;
    for (const std::string& part : bad.said) EXPECT_TRUE(contains(error, part)) << error;
    EXPECT_FALSE(marker.is_there());
  }
}

TEST(PluginFile, WhatIsNoRegularFileIsRefusedUnopened) {
  ScratchFolder folder;
  const auto refusal = [](const std::filesystem::path& path) {
    return error_of<RefusedFile>([&] { read_plugin_file(path); });
  };
  ASSERT_EQ(::mkfifo((folder / "fifo.so").c_str(), 0600), 0);
  std::filesystem::create_symlink("gone", folder / "dangling.so");
  std::filesystem::create_symlink("loop.so", folder / "loop.so");
  EXPECT_TRUE(contains(refusal(folder.path()), "is a folder"));
  EXPECT_TRUE(contains(refusal(folder / "fifo.so"), "is a fifo"));
  EXPECT_TRUE(contains(refusal("/dev/null"), "is a device"));
  EXPECT_TRUE(contains(refusal(folder / "dangling.so"), "link to 'gone', which does not exist"));
  EXPECT_TRUE(contains(refusal(folder / "loop.so"), "leads back to itself"));
  EXPECT_TRUE(contains(refusal(folder / "absent.so"), "does not exist"));
}

TEST(PluginFile, UnreadableFilesAreRefused) {
  ScratchFolder folder;
  const auto file = folder.write("closed.so", "x");
  ASSERT_EQ(::chmod(file.c_str(), 0), 0);
  ASSERT_EQ(::chmod(folder.path().c_str(), 0755), 0);
  // root reads everything, so it becomes nobody for a moment.
  const uid_t user = ::geteuid();
  ASSERT_EQ(::seteuid(user == 0 ? 65534 : user), 0);
  EXPECT_TRUE(contains(error_of<RefusedFile>([&] { read_plugin_file(file); }), "readable"));
  ASSERT_EQ(::seteuid(user), 0);
}

TEST(PluginFile, AProgramIsRefusedWithTheMend) {
  const std::string error = error_of<RefusedFile>([] { read_plugin_file("/proc/self/exe"); });
  EXPECT_TRUE(contains(error, "is an executable")) << error;
  EXPECT_TRUE(contains(error, "FRESHET_APPLICATION")) << error;
}

TEST(PluginFile, IsRefusedTruncatedAnywhere) {
  ScratchFolder folder;
  const Marker marker(folder);
  const std::string whole = test_modules::content(test_modules::path("alpha"));
  for (std::size_t size = 0; size < whole.size(); size += size < 2048 ? 7 : 613) {
    const auto file = folder.write("cut.so", whole.substr(0, size));
    EXPECT_THROW(read_compatible_file(file), RefusedFile) << size << " of " << whole.size();
  }
  EXPECT_THROW(read_compatible_file(folder.write("cut.so", whole.substr(0, whole.size() - 1))),
               RefusedFile);
  EXPECT_NO_THROW(read_compatible_file(folder.write("cut.so", whole)));
  EXPECT_FALSE(marker.is_there());
}

// The reader either accepts or refuses; it never crashes, hangs or reads out of bounds (which the
// sanitizer builds would tell).
TEST(PluginFile, SurvivesFlippedBytes) {
  ScratchFolder folder;
  const Patient whole("alpha");
  std::mt19937 random(20240607);
  int refused = 0;
  constexpr int kRounds = 3000;
  const auto file = folder.write("flipped.so", whole.bytes);
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::size_t> flipped;
    const std::size_t flips = 1 + random() % 6;
    for (std::size_t i = 0; i < flips; ++i) {
      // Mostly where the reader looks: headers, the note, the tables behind it.
      const std::size_t reach = round % 4 == 0   ? whole.bytes.size()
                                : round % 4 == 1 ? std::size_t{1024}
                                                 : whole.note_at() + sizeof(freshet_note_v1) + 512;
      flipped.push_back(random() % std::min(reach, whole.bytes.size()));
      out.seekp(static_cast<std::streamoff>(flipped.back()));
      out.put(static_cast<char>(random() % 256));
    }
    out.flush();
    try {
      read_compatible_file(file);
    } catch (const RefusedFile& refusal) {
      ++refused;
      ASSERT_FALSE(refusal.reason().empty());
    }
    for (const std::size_t at : flipped) {
      out.seekp(static_cast<std::streamoff>(at));
      out.put(whole.bytes[at]);
    }
  }
  EXPECT_GT(refused, kRounds / 4);
}

TEST(PluginFile, MissingLibrariesAndSymbolsAreNamed) {
  ScratchFolder folder;
  const Marker marker(folder);
  const auto error = [&](const std::string& bytes) {
    const auto file = folder.write("needy.so", bytes);
    return error_of<RefusedFile>([&] { load_shared_object(read_compatible_file(file)); });
  };
  std::string needy = test_modules::content(test_modules::path("missing_library"));
  needy.replace(needy.find("libfreshet-test-elsewhere.so"), 28, "libfreshet-test-nowhere-x.so");
  const std::string missing = error(needy);
  EXPECT_TRUE(contains(missing, "libfreshet-test-nowhere-x.so")) << missing;
  EXPECT_TRUE(contains(missing, "install what is missing")) << missing;
  const std::string undefined =
      error(test_modules::content(test_modules::path("undefined_symbol")));
  EXPECT_TRUE(contains(undefined, "from_elsewhere")) << undefined;
  EXPECT_FALSE(marker.is_there());
}

TEST(PluginFile, AFileThatWasReplacedSinceItWasReadIsNotLoaded) {
  ScratchFolder folder;
  const auto file = folder.write("x.so", test_modules::content(test_modules::path("alpha")));
  const PluginFile read = read_compatible_file(file);
  std::filesystem::remove(file);
  folder.write("x.so", test_modules::content(test_modules::path("beta")));
  const Marker marker(folder);
  const std::string error = error_of<RefusedFile>([&] { load_shared_object(read); });
  EXPECT_TRUE(contains(error, "was replaced")) << error;
  EXPECT_FALSE(marker.is_there());
}

}  // namespace
}  // namespace freshet
