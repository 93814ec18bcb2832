#include "shared_objects/plugin_file.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "freshet/api.h"
#include "shared_objects/abi_versions.h"

namespace freshet::core {
namespace {

// The first bytes of both structs, frozen.
struct Head {
  char magic[8];
  std::uint32_t struct_size, abi_version, kind, reserved;
};
static_assert(sizeof(Head) == 24);

Head head_of(const std::string& bytes) {
  Head head;
  std::memcpy(&head, bytes.data(), sizeof head);
  return head;
}

struct OnceOnly {
  const char* name;
  const char* symbol;  // that no header of it defines, only its library
  const char* shared;
};
constexpr OnceOnly kOnceOnly[] = {
    {"Boost.Fiber", "_ZN5boost6fibers7context6activeEv", "libboost_fiber.so"},
    {"Boost.Context", "jump_fcontext", "libboost_context.so"},
};

class NoteReader {
 public:
  // Fills in `file` as far as it can be read.
  explicit NoteReader(PluginFile& file) : path_(file.path), elf_(file.path, &file.file) {
    if (elf_.is_executable())
      refuse(
          "is an executable, which can't be loaded: build it as a shared module "
          "(-shared -fPIC) with FRESHET_APPLICATION(...)");
    const std::string content = the_note();
    const Head head = judged_head(content, "its note");
    if (!keeps_abi(head.abi_version)) refuse_abi(head.abi_version, content);
    if (content.size() != sizeof(freshet_note_v1) || head.struct_size != content.size())
      refuse("its note is " + std::to_string(content.size()) + " bytes and says " +
             std::to_string(head.struct_size) + ", ABI version " +
             std::to_string(head.abi_version) + " has " + std::to_string(sizeof(freshet_note_v1)) +
             ": it is damaged, build it again with the SDK's macros");
    freshet_note_v1 note;
    std::memcpy(&note, content.data(), sizeof note);

    file.identity.abi_version = note.abi_version;
    file.identity.kind = judged_kind(note.kind);
    file.identity.name = judged_name(text(note.name, "name"), note.kind);
    file.identity.version = printable_text(text(note.version, "version"), "version");
    file.identity.sdk_version =
        printable_text(text(note.sdk_version, "SDK version"), "SDK version");
    file.identity.build_tag = printable_text(text(note.build_tag, "build tag"), "build tag");
    judge_entry(note);
    file.needed_libraries = elf_.needed_libraries();
    file.run_path = elf_.run_path();
    if (const std::string copy = own_copy_in(elf_); !copy.empty()) refuse(copy);
    elf_.check_unchanged();
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const { throw RefusedFile(path_, reason); }

  std::string the_note() const {
    std::vector<std::string> contents;
    for (auto& note : elf_.notes_of(FRESHET_NOTE_OWNER))
      if (note.type == FRESHET_NOTE_TYPE) contents.push_back(std::move(note.content));
    if (contents.empty())
      refuse(
          "has no Freshet note (section .note.freshet), so it is no Freshet module: build it "
          "with FRESHET_APPLICATION(...) or one of the plugin macros");
    if (contents.size() > 1)
      refuse("has " + std::to_string(contents.size()) +
             " Freshet notes, a module has 1: use one plugin or application macro in each "
             "shared object");
    if (contents[0].size() < sizeof(Head))
      refuse("its note is " + std::to_string(contents[0].size()) + " bytes, at least " +
             std::to_string(sizeof(Head)) +
             " are needed: it is damaged, build it again with the SDK's macros");
    return contents[0];
  }

  Head judged_head(const std::string& bytes, const std::string& where) const {
    const Head head = head_of(bytes);
    if (std::memcmp(head.magic, FRESHET_PLUGIN_MAGIC, sizeof head.magic) != 0)
      refuse(where + " begins with '" + printable({head.magic, 7}) + "' and not with '" +
             FRESHET_PLUGIN_MAGIC + "': it is damaged, build it again with the SDK's macros");
    return head;
  }

  // What the note of any ABI version has at the same place is the SDK's version.
  [[noreturn]] void refuse_abi(std::uint32_t version, const std::string& note) const {
    std::string sdk = "of an unknown version";
    if (note.size() >= offsetof(freshet_note_v1, build_tag)) {
      const char* const at = note.data() + offsetof(freshet_note_v1, sdk_version);
      sdk = printable({at, ::strnlen(at, FRESHET_VERSION_SIZE)});
    }
    const std::string what = "is built with the SDK " + sdk + " of ABI version " +
                             std::to_string(version) +
                             ", this is Freshet " FRESHET_VERSION_STRING " that runs ABI version " +
                             kept_abi_versions() + ": ";
    if (version > FRESHET_ABI_VERSION)
      refuse(what + "use a newer Freshet, or build it with this one's SDK");
    refuse(what + "build it again with this Freshet's SDK");
  }

  std::uint32_t judged_kind(std::uint32_t number) const {
    const PluginKind* kind = find_kind(number);
    if (kind == nullptr)
      refuse("says that it is of kind " + std::to_string(number) + ", Freshet " +
             FRESHET_VERSION_STRING + " knows the kinds 1 to " +
             std::to_string(plugin_kinds().back().number) + ": use a newer Freshet");
    if (kind->reserved)
      refuse(std::string("is a ") + kind->name + " (kind " + std::to_string(number) +
             "), whose interface does not exist yet in Freshet " FRESHET_VERSION_STRING
             ": use a newer Freshet");
    return number;
  }

  template <std::size_t N>
  std::string text(const char (&field)[N], const char* what) const {
    const char* end = static_cast<const char*>(std::memchr(field, 0, N));
    if (end == nullptr)
      refuse(std::string("the ") + what + " in its note does not end within its " +
             std::to_string(N) + " bytes: it is damaged, build it again with the SDK's macros");
    return std::string(field, end);
  }

  std::string printable_text(std::string text, const char* what) const {
    if (text.empty() && std::strcmp(what, "version") != 0)
      refuse(std::string("the ") + what +
             " in its note is empty: it is damaged, build it again with the SDK's macros");
    if (printable(text, text.size()) != text)
      refuse(std::string("the ") + what + " in its note, '" + printable(text) +
             "', holds characters outside printable ASCII: use those alone");
    return text;
  }

  std::string judged_name(std::string name, std::uint32_t kind) const {
    const auto fits = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
    };
    if (name.empty() && kind == FRESHET_KIND_APPLICATION) return printable(path_.stem().native());
    if (name.empty() || !std::all_of(name.begin(), name.end(), fits) || name[0] == '.' ||
        name[0] == '_' || name[0] == '-')
      refuse("is named '" + printable(name) +
             "', a name has the characters a-z 0-9 - _ . and begins with a letter or digit: give "
             "another name in its macro");
    return name;
  }

  // What is exported under the entry's name must be what the note says, before it is trusted.
  void judge_entry(const freshet_note_v1& note) const {
    const auto entry = elf_.exported(FRESHET_PLUGIN_ENTRY);
    if (!entry)
      refuse("does not export its entry '" FRESHET_PLUGIN_ENTRY
             "': use the SDK's macro at global scope, and a version script that leaves it global");
    if (entry->type != STT_OBJECT || entry->size < sizeof(freshet_plugin_v1))
      refuse(std::string("its entry '" FRESHET_PLUGIN_ENTRY "' is ") +
             (entry->type == STT_OBJECT ? "a constant of " : "no constant, of ") +
             std::to_string(entry->size) + " bytes, ABI version " +
             std::to_string(note.abi_version) + " has a constant of " +
             std::to_string(sizeof(freshet_plugin_v1)) +
             " bytes: build it again with the SDK's macros");
    const Head head = judged_head(elf_.bytes_at_address(entry->address, sizeof(Head)), "its entry");
    if (head.abi_version != note.abi_version)
      refuse("its entry says ABI version " + std::to_string(head.abi_version) + ", its note " +
             std::to_string(note.abi_version) +
             ": it is damaged, build it again with the SDK's macros");
    if (head.struct_size != sizeof(freshet_plugin_v1) || head.kind != note.kind)
      refuse("its entry says " + kind_name(head.kind) + " of " + std::to_string(head.struct_size) +
             " bytes, its note " + kind_name(note.kind) + " of " +
             std::to_string(sizeof(freshet_plugin_v1)) +
             ": it is damaged, build it again with the SDK's macros");
  }

  std::filesystem::path path_;
  ElfFile elf_;
};

}  // namespace

std::string own_copy_in(const ElfFile& file) {
  for (const OnceOnly& library : kOnceOnly)
    if (file.defines(library.symbol))
      return std::string("holds a ") + library.name + " of its own (it defines " + library.symbol +
             "), Freshet's is the shared " + library.shared +
             ", and two in one process do not work: link the shared one";
  return {};
}

PluginFile read_plugin_file(const std::filesystem::path& path) {
  PluginFile file;
  file.path = path;
  const NoteReader reader(file);
  return file;
}

std::string read_what_can_be_read(PluginFile& file) {
  try {
    const NoteReader reader(file);
    return {};
  } catch (const RefusedFile& refused) {
    return refused.reason();
  }
}

}  // namespace freshet::core
