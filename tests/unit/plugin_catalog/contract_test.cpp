// freshet/plugin.h against what was recorded of it: a change here breaks plugins that exist.
#include <sstream>
#include <type_traits>

#include "freshet/plugin/executor.h"
#include "freshet/plugin/plugin_registration.h"
#include "shared_objects/plugin_kind.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

#define FIELD(struct_, field_)                                            \
  out << #struct_ "." #field_ " at " << offsetof(struct_, field_) << ", " \
      << sizeof(decltype(struct_::field_)) << " bytes\n"

std::string layout() {
  std::ostringstream out;
  out << "ABI version " << FRESHET_ABI_VERSION << "\n";
  out << "entry '" FRESHET_PLUGIN_ENTRY "', magic '" FRESHET_PLUGIN_MAGIC "' of "
      << sizeof(FRESHET_PLUGIN_MAGIC) << " bytes\n";
  out << "note of owner '" FRESHET_NOTE_OWNER "', type " << FRESHET_NOTE_TYPE << "\n";
  FIELD(freshet_plugin_v1, magic);
  FIELD(freshet_plugin_v1, struct_size);
  FIELD(freshet_plugin_v1, abi_version);
  FIELD(freshet_plugin_v1, kind);
  FIELD(freshet_plugin_v1, reserved);
  FIELD(freshet_plugin_v1, name);
  FIELD(freshet_plugin_v1, version);
  FIELD(freshet_plugin_v1, sdk_version);
  FIELD(freshet_plugin_v1, build_tag);
  FIELD(freshet_plugin_v1, create);
  FIELD(freshet_plugin_v1, destroy);
  FIELD(freshet_plugin_v1, main);
  FIELD(freshet_plugin_v1, operators);
  out << "freshet_plugin_v1: " << sizeof(freshet_plugin_v1) << " bytes, aligned to "
      << alignof(freshet_plugin_v1) << "\n";
  FIELD(freshet_note_v1, magic);
  FIELD(freshet_note_v1, struct_size);
  FIELD(freshet_note_v1, abi_version);
  FIELD(freshet_note_v1, kind);
  FIELD(freshet_note_v1, reserved);
  FIELD(freshet_note_v1, name);
  FIELD(freshet_note_v1, version);
  FIELD(freshet_note_v1, sdk_version);
  FIELD(freshet_note_v1, build_tag);
  out << "freshet_note_v1: " << sizeof(freshet_note_v1) << " bytes, aligned to "
      << alignof(freshet_note_v1) << "\n";
  FIELD(freshet_elf_note, owner_size);
  FIELD(freshet_elf_note, content_size);
  FIELD(freshet_elf_note, type);
  FIELD(freshet_elf_note, owner);
  FIELD(freshet_elf_note, content);
  out << "freshet_elf_note: " << sizeof(freshet_elf_note) << " bytes, aligned to "
      << alignof(freshet_elf_note) << "\n";
  for (const PluginKind& kind : plugin_kinds())
    out << "kind " << kind.number << ": " << kind.name << (kind.reserved ? ", reserved" : "")
        << (*kind.interface == '\0' ? "" : ", ") << kind.interface << "\n";
  out << "main returned " << FRESHET_MAIN_RETURNED << ", threw " << FRESHET_MAIN_THREW
      << ", refused " << FRESHET_MAIN_REFUSED << ", job failed " << FRESHET_MAIN_JOB_FAILED
      << ", canceled " << FRESHET_MAIN_CANCELED << "\n";
  return out.str();
}

TEST(PluginContract, IsLaidOutAsItWasRecorded) {
  const std::filesystem::path root = std::getenv("FRESHET_SOURCE_ROOT");
  EXPECT_EQ(layout(), test_modules::content(root / "tests/unit/golden/plugin_contract.txt"))
      << "plugin.h changed. Is it a change that plugins of this ABI version survive (a new kind)? "
         "Then record it; else raise FRESHET_ABI_VERSION first: docs/maintainers/abi.md.";
}

TEST(PluginContract, CallsAreTypedAsTheyWere) {
  EXPECT_TRUE((std::is_same_v<decltype(freshet_plugin_v1::create), void* (*)(char*, std::size_t)>));
  EXPECT_TRUE((std::is_same_v<decltype(freshet_plugin_v1::destroy), void (*)(void*)>));
  EXPECT_TRUE((std::is_same_v<decltype(freshet_plugin_v1::main),
                              std::uint32_t (*)(int, char**, int*, char*, std::size_t)>));
  EXPECT_TRUE((std::is_same_v<decltype(freshet_plugin_v1::operators), const void*>));
  EXPECT_TRUE(std::is_standard_layout_v<freshet_elf_note>);
}

TEST(PluginContract, ThePageForMaintainersShowsRowsOfTheTable) {
  const std::filesystem::path root = std::getenv("FRESHET_SOURCE_ROOT");
  const std::string header = test_modules::content(root / "sdk/include/freshet/plugin.h");
  std::istringstream page(test_modules::content(root / "docs/maintainers/plugin-kinds.md"));
  std::size_t rows = 0;
  bool code = false;
  for (std::string line; std::getline(page, line);) {
    if (line.rfind("```", 0) == 0) {
      code = !code;
    } else if (code) {
      ++rows;
      EXPECT_TRUE(test_modules::contains(header, line)) << line;
    }
  }
  EXPECT_EQ(rows, 3u);
}

TEST(PluginContract, AKindIsKnownEverywhereByItsRowInTheTable) {
  EXPECT_EQ(FRESHET_KIND_EXECUTOR, 1);
  EXPECT_EQ(kind_name(FRESHET_KIND_FRONT_END), "front end");
  EXPECT_EQ(kind_name(77), "kind 77");
  EXPECT_EQ(find_kind(FRESHET_KIND_NONE), nullptr);
  EXPECT_TRUE(find_kind(FRESHET_KIND_STATE_BACKEND)->reserved);
  EXPECT_STREQ(find_kind(FRESHET_KIND_EXECUTOR)->interface, "freshet::ExecutorFactory");
  EXPECT_TRUE((std::is_same_v<detail::InterfaceOf<FRESHET_KIND_EXECUTOR>::Class, ExecutorFactory>));
  EXPECT_TRUE(std::is_void_v<detail::InterfaceOf<FRESHET_KIND_OPERATORS>::Class>);
}

}  // namespace
}  // namespace freshet::core
