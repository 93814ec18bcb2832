#include "selection/executor_selection.h"

#include "freshet/options.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class ExecutorSelection : public testing::Test {
 protected:
  void put(const std::string& module) {
    fs::copy_file(test_modules::path(module), folder_ / (module + ".so"));
  }
  PluginCatalog catalog() const {
    SearchPath::Sources sources;
    sources.option_folders = {folder_.path().native()};
    return PluginCatalog(SearchPath(sources));
  }
  static Configuration target(const std::string& name) {
    Configuration configuration;
    configuration.set(options::kExecutionTarget, name, Origin::command_line("--target"));
    return configuration;
  }

  ScratchFolder folder_;
};

TEST_F(ExecutorSelection, TheOneThatSaysYesIsTaken) {
  put("brook");
  put("alpha");  // a connector: not asked
  PluginCatalog plugins = catalog();
  const SelectedExecutor selected = select_executor(plugins, target("brook"));
  EXPECT_STREQ(selected.factory.name(), "brook");
  EXPECT_EQ(selected.entry.file.path, folder_ / "brook.so");
  EXPECT_TRUE(selected.warnings.empty());
}

TEST_F(ExecutorSelection, NoneTellsTheNearestNameWhatWasFoundAndWhereItLooked) {
  put("brook");
  folder_.write("broken.so", "no");
  PluginCatalog plugins = catalog();
  const std::string error =
      error_of<NoExecutor>([&] { select_executor(plugins, target("borok")); });
  EXPECT_TRUE(contains(error,
                       "no executor for target 'borok' (execution.target from "
                       "--target on the command line): did you mean 'brook'?"))
      << error;
  EXPECT_TRUE(contains(error, "\n  found: 'brook' in " + (folder_ / "brook.so").native()));
  EXPECT_TRUE(contains(error, "\n  refused: " + (folder_ / "broken.so").native() + ": is not"));
  EXPECT_TRUE(contains(error, "\n  looked in: " + folder_.path().native() + " (option plugin"));
}

TEST_F(ExecutorSelection, WithoutAnyPluginTheMendIsToInstallOne) {
  PluginCatalog plugins = catalog();
  const std::string error =
      error_of<NoExecutor>([&] { select_executor(plugins, target("brook")); });
  EXPECT_TRUE(contains(error, "install its plugin into one of the folders below")) << error;
  EXPECT_TRUE(contains(error, "found: no executor plugin"));
}

TEST_F(ExecutorSelection, WithoutATargetTheErrorSaysSo) {
  put("broo");
  PluginCatalog plugins = catalog();
  const std::string error =
      error_of<NoExecutor>([&] { select_executor(plugins, Configuration()); });
  EXPECT_TRUE(contains(error, "no target is set (execution.target)")) << error;
  EXPECT_TRUE(contains(error, "give --target=NAME")) << error;
}

TEST_F(ExecutorSelection, TwoThatSayYesAreToldWithTheirFiles) {
  put("brook");
  put("broo");
  PluginCatalog plugins = catalog();
  EXPECT_STREQ(select_executor(plugins, target("broom")).factory.name(), "broo");
  const std::string error =
      error_of<SeveralExecutors>([&] { select_executor(plugins, target("brook")); });
  EXPECT_TRUE(contains(error, "2 executors say that they run target 'brook'")) << error;
  EXPECT_TRUE(contains(error, "'brook' in " + (folder_ / "brook.so").native()));
  EXPECT_TRUE(contains(error, "'broo' in " + (folder_ / "broo.so").native()));
}

TEST_F(ExecutorSelection, OneThatThrowsIsSkippedWithAWarning) {
  put("brook");
  PluginCatalog plugins = catalog();
  const std::string error =
      error_of<NoExecutor>([&] { select_executor(plugins, target("quarrel")); });
  EXPECT_TRUE(contains(error, "'brook' (" + (folder_ / "brook.so").native() +
                                  ") is skipped: its is_compatible_with() threw: I do not talk"))
      << error;
}

}  // namespace
}  // namespace freshet::core
