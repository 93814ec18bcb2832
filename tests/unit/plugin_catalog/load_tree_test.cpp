// Plugins that find libraries beside themselves: `missing_library` calls `from_elsewhere`, which
// libfreshet-test-elsewhere.so gives it.
#include "plugin_catalog/load_tree.h"

#include <dlfcn.h>

#include <atomic>
#include <thread>

#include "plugin_catalog/shared_object.h"
#include "scale.h"
#include "test_modules.h"

namespace freshet {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::Marker;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

constexpr const char* kLibrary = "libfreshet-test-elsewhere.so";
constexpr const char* kRunPath = "$ORIGIN/:$ORIGIN/../../../sdk";

std::string replaced(std::string bytes, const std::string& from, const std::string& to) {
  EXPECT_EQ(from.size(), to.size());
  std::size_t found = 0;
  for (std::size_t at = 0; (at = bytes.find(from, at)) != std::string::npos; ++found)
    bytes.replace(at, to.size(), to);
  EXPECT_GT(found, 0u) << from;
  return bytes;
}

// Both under a name that nobody has loaded yet: the loader takes what it has.
struct Pair {
  explicit Pair(const std::string& run_path = "$ORIGIN") {
    static int last = 0;
    const std::string number = std::to_string(10000 + ++last);
    name = "libfreshet-test-else" + number + ".so";
    library = replaced(test_modules::content(test_modules::path("libfreshet-test-elsewhere")),
                       kLibrary, name);
    std::string padded = run_path;
    padded.resize(std::string(kRunPath).size(), '\0');
    plugin = replaced(
        replaced(test_modules::content(test_modules::path("missing_library")), kLibrary, name),
        kRunPath, padded);
  }
  std::string name, library, plugin;
};

int called(const freshet_plugin_v1& entry) {
  return reinterpret_cast<int (*)()>(entry.create(nullptr, 0))();
}

std::string name_of(const void* address) {
  Dl_info found{};
  EXPECT_NE(::dladdr(address, &found), 0);
  return found.dli_fname;
}

const freshet_plugin_v1& load(const fs::path& file) {
  return load_shared_object(read_compatible_file(file));
}

std::vector<std::string> left_behind() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(fs::temp_directory_path()))
    if (LoadTree::is_name_in_one(entry.path().native())) names.push_back(entry.path());
  return names;
}

TEST(LoadTree, APluginIsLoadedWithTheLibraryBesideIt) {
  const ScratchFolder folder;
  const Pair pair;
  const fs::path library = folder.write(pair.name, pair.library);
  const fs::path file = folder.write("needy.so", pair.plugin);
  const freshet_plugin_v1& entry = load(file);
  EXPECT_EQ(called(entry), 7);
  EXPECT_EQ(name_of(&entry), file.native());
  EXPECT_EQ(name_of(entry.create(nullptr, 0)), library.native());
  EXPECT_EQ(left_behind(), std::vector<std::string>{});
}

TEST(LoadTree, TheRunPathMayLeadToAnotherFolderAndThroughALink) {
  const ScratchFolder folder;
  const Pair pair("${ORIGIN}/none:$ORIGIN/../l");
  fs::create_directories(folder / "real/plugins");
  fs::create_directory(folder / "real/l");
  fs::create_directory_symlink("real/plugins", folder / "link");
  folder.write("real/l/" + pair.name, pair.library);
  folder.write("real/plugins/needy.so", pair.plugin);
  const freshet_plugin_v1& entry = load(folder / "link/needy.so");
  EXPECT_EQ(called(entry), 7);
  EXPECT_EQ(name_of(&entry), folder / "link/needy.so");
  EXPECT_TRUE(fs::equivalent(name_of(entry.create(nullptr, 0)), folder / ("real/l/" + pair.name)));
}

TEST(LoadTree, AnUndefinedSymbolIsFoundBeforeTheLibraryBesideItRuns) {
  const ScratchFolder folder;
  const Pair pair;
  // The library is a plugin that leaves a marker; it does not define what is called.
  const std::string marking = test_modules::content(test_modules::path("alpha"));
  folder.write(pair.name, marking);
  const fs::path file = folder.write("needy.so", pair.plugin);
  const Marker marker(folder);
  const std::string text = error_of<RefusedFile>([&] { load(file); });
  EXPECT_TRUE(contains(text, "the loader refuses it: " + file.native() +
                                 ": undefined symbol: "
                                 "from_elsewhere"))
      << text;
  EXPECT_FALSE(marker.is_there());
  EXPECT_EQ(left_behind(), std::vector<std::string>{});
}

// The plugin and its library are replaced again and again, the library also by one that is refused
// and that the loader would find without what is called: what was judged is what is loaded.
TEST(LoadTree, WhileFilesAreReplacedOnlyWhatWasJudgedIsLoaded) {
  const ScratchFolder folder;
  const std::string bad = test_modules::content(test_modules::path("own_contexts"));
  const fs::path file = folder / "x.so";
  int refused = 0;
  for (int round = 0; round < freshet::testing::scaled(80, 20) || refused == 0; ++round) {
    if (::testing::Test::HasFailure()) break;
    const Pair pair;  // of its own: the loader takes a library of a known name from the process
    const std::string plugins[] = {
        pair.plugin, replaced(pair.plugin, std::string("needy\0", 6), std::string("other\0", 6))};
    folder.write("x.so", plugins[0]);
    const fs::path library = folder.write(pair.name, pair.library);
    std::atomic<bool> over{false};
    std::thread replacing([&] {
      for (int turn = 1; !over; ++turn) {
        fs::rename(folder.write("next", plugins[turn % 2]), file);
        fs::rename(folder.write("next", turn % 3 == 0 ? bad : pair.library), library);
      }
    });
    for (bool loaded = false; !loaded && !::testing::Test::HasFailure();) try {
        const PluginFile read = read_compatible_file(file);
        const freshet_plugin_v1& entry = load_shared_object(read);
        loaded = true;
        EXPECT_EQ(entry.name, read.identity.name);
        EXPECT_EQ(called(entry), 7);
        EXPECT_EQ(name_of(&entry), file.native());
        EXPECT_EQ(name_of(entry.create(nullptr, 0)), library.native());
      } catch (const RefusedFile& refusal) {
        ++refused;
        EXPECT_TRUE(contains(refusal.what(), "was replaced") ||
                    contains(refusal.what(), "Boost.Context of its own"))
            << refusal.what();
      }
    over = true;
    replacing.join();
  }
}

}  // namespace
}  // namespace freshet
