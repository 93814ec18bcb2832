#include "shared_objects/search_path.h"

#include <sys/stat.h>
#include <unistd.h>

#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class SearchPathTest : public testing::Test {
 protected:
  fs::path make(const std::string& name) {
    fs::create_directories(folder_ / name);
    return folder_ / name;
  }
  SearchPath::Sources all_sources() {
    SearchPath::Sources sources;
    sources.option_folders = {make("option").native()};
    sources.plugin_path = make("env1").native() + ":" + make("env2").native();
    make("data/freshet/plugins");
    sources.data_home = (folder_ / "data").native();
    sources.home = make("home").native();
    make("lib/freshet/plugins");
    sources.core_library = folder_ / "lib/libfreshet-core.so.0";
    return sources;
  }
  static std::vector<std::string> searched(const SearchPath& path) {
    std::vector<std::string> folders;
    for (const SearchFolder& folder : path.folders())
      if (folder.skipped.empty()) folders.push_back(folder.path.native());
    return folders;
  }

  ScratchFolder folder_;
};

TEST_F(SearchPathTest, OptionThenEnvironmentThenDataHomeThenInstallation) {
  EXPECT_EQ(searched(SearchPath(all_sources())),
            (std::vector<std::string>{folder_ / "option", folder_ / "env1", folder_ / "env2",
                                      folder_ / "data/freshet/plugins",
                                      folder_ / "lib/freshet/plugins"}));
}

TEST_F(SearchPathTest, APrivilegedProcessTakesNothingFromTheEnvironment) {
  auto sources = all_sources();
  sources.privileged = true;
  EXPECT_EQ(searched(SearchPath(sources)),
            (std::vector<std::string>{folder_ / "option", folder_ / "lib/freshet/plugins"}));
}

TEST_F(SearchPathTest, RelativeFoldersInTheEnvironmentAreToldAndSkipped) {
  SearchPath::Sources sources;
  sources.plugin_path = "plugins:::.";
  const SearchPath path(sources);
  ASSERT_EQ(path.folders().size(), 2u);
  EXPECT_TRUE(searched(path).empty());
  EXPECT_EQ(path.folders()[0].text(),
            "plugins (FRESHET_PLUGIN_PATH; skipped: is relative, only absolute folders count "
            "there: write it out)");
}

TEST_F(SearchPathTest, AFolderThatAnybodyMayWriteToIsSkipped) {
  SearchPath::Sources sources;
  sources.plugin_path = make("open").native();
  ::chmod((folder_ / "open").c_str(), 0777);
  const SearchPath path(sources);
  EXPECT_TRUE(searched(path).empty());
  EXPECT_TRUE(contains(path.folders()[0].skipped, "chmod o-w"));
}

TEST_F(SearchPathTest, AFolderBelowOneThatAnybodyMayWriteToIsSkippedUnlessThatOneIsSticky) {
  SearchPath::Sources sources;
  sources.plugin_path = make("open/inner/plugins").native();
  ::chmod((folder_ / "open").c_str(), 0777);
  const SearchPath path(sources);
  EXPECT_TRUE(searched(path).empty());
  EXPECT_TRUE(contains(path.folders()[0].skipped, (folder_ / "open").native() + " above it"))
      << path.folders()[0].skipped;
  EXPECT_TRUE(contains(path.folders()[0].skipped, "(mode 0777)")) << path.folders()[0].skipped;
  EXPECT_TRUE(contains(path.folders()[0].skipped, "chmod o-w")) << path.folders()[0].skipped;
  ::chmod((folder_ / "open").c_str(), 01777);
  EXPECT_EQ(searched(SearchPath(sources)).size(), 1u);
}

TEST_F(SearchPathTest, SoIsAFolderBelowOneOfAGroupOrOfAnotherUser) {
  SearchPath::Sources sources;
  sources.plugin_path = make("outer/inner/plugins").native();
  const std::string outer = folder_ / "outer";
  const auto skipped = [&] { return SearchPath(sources).folders().at(0).skipped; };
  EXPECT_EQ(skipped(), "");
  ::chmod(outer.c_str(), 0775);
  EXPECT_TRUE(contains(skipped(), outer + " above it: its group may write to it (mode 0775"))
      << skipped();
  EXPECT_TRUE(contains(skipped(), "chmod g-w")) << skipped();
  ::chmod(outer.c_str(), 01775);
  EXPECT_EQ(skipped(), "");
  ::chmod(outer.c_str(), 0755);
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder away";
  for (const mode_t mode : {0755u, 01755u}) {  // its owner may replace what is in it, sticky or not
    ASSERT_EQ(::chown(outer.c_str(), 65534, 0), 0);
    ::chmod(outer.c_str(), mode);
    EXPECT_TRUE(contains(skipped(), outer + " above it: it belongs to user")) << skipped();
  }
}

TEST_F(SearchPathTest, TheInstallationsFolderIsShownWithoutDetours) {
  SearchPath::Sources sources;
  make("bin");
  make("lib/freshet/plugins");
  sources.core_library = folder_ / "bin/../lib/libfreshet-core.so.0";
  EXPECT_EQ(searched(SearchPath(sources)),
            (std::vector<std::string>{folder_ / "lib/freshet/plugins"}));
}

TEST_F(SearchPathTest, WithoutDataHomeTheHomeFolderCounts) {
  SearchPath::Sources sources;
  sources.home = folder_.path().native();
  make(".local/share/freshet/plugins");
  EXPECT_EQ(searched(SearchPath(sources)),
            (std::vector<std::string>{folder_ / ".local/share/freshet/plugins"}));
}

TEST_F(SearchPathTest, NeverTheWorkingFolder) {
  const fs::path before = fs::current_path();
  fs::current_path(make("freshet/plugins").parent_path().parent_path());
  SearchPath::Sources sources = SearchPath::Sources::of_this_process({});
  sources.plugin_path = std::nullopt;
  for (const std::string& folder : searched(SearchPath(sources)))
    EXPECT_FALSE(contains(folder, folder_.path().native())) << folder;
  fs::current_path(before);
}

TEST_F(SearchPathTest, InABuildTreeEachPluginStandsWhereItWasBuilt) {
  make("meson-private");
  make("core");
  test_modules::write(make("plugins/executors/local") / "local.so", "");
  test_modules::write(make("plugins/executors/local/local.so.p") / "inner.so", "");
  SearchPath::Sources sources;
  sources.core_library = folder_ / "core/libfreshet-core.so";
  EXPECT_EQ(searched(SearchPath(sources)),
            (std::vector<std::string>{folder_ / "plugins/executors/local"}));
}

TEST_F(SearchPathTest, FindsItsOwnInstallation) {
  EXPECT_EQ(SearchPath::Sources::of_this_process({}).core_library.filename().native().substr(0, 18),
            "libfreshet-core.so");
}

}  // namespace
}  // namespace freshet::core
