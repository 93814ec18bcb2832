#include "selection/deployer_selection.h"

#include "freshet/options.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class DeployerSelection : public testing::Test {
 protected:
  DeployerSelection() {
    fs::copy_file(test_modules::path("moor"), folder_ / "moor.so");
    ::setenv("FRESHET_TEST_RELEASE", (folder_ / "release").c_str(), 1);
  }
  ~DeployerSelection() override {
    folder_.write("release", "");
    ::unsetenv("FRESHET_TEST_RELEASE");
    ::unsetenv("FRESHET_TEST_CALM");
  }
  SearchPath path() const {
    SearchPath::Sources sources;
    sources.option_folders = {folder_.path().native()};
    return SearchPath(sources);
  }
  static Configuration target(const std::string& name) {
    Configuration configuration;
    configuration.set(options::kExecutionTarget, name, Origin::command_line("--target"));
    return configuration;
  }

  const ScratchFolder folder_;
};

TEST_F(DeployerSelection, ATargetIsAClustersWhereADeployerSaysYes) {
  PluginCatalog plugins(path());
  std::vector<std::string> skipped;
  EXPECT_TRUE(is_cluster_target(plugins, target("moor-session"), skipped));
  EXPECT_FALSE(is_cluster_target(plugins, target("local"), skipped));
  EXPECT_FALSE(is_cluster_target(plugins, Configuration(), skipped));
  EXPECT_TRUE(skipped.empty()) << skipped[0];
  EXPECT_STREQ(select_deployer(plugins, target("moor")).factory.name(), "moor");
}

TEST_F(DeployerSelection, OneThatThrowsIsSkippedAndNamed) {
  PluginCatalog plugins(path());
  std::vector<std::string> skipped;
  EXPECT_FALSE(is_cluster_target(plugins, target("storm"), skipped));
  ASSERT_EQ(skipped.size(), 1u);
  EXPECT_EQ(skipped[0], "deployer plugin 'moor' (" + (folder_ / "moor.so").native() +
                            ") is skipped: its is_compatible_with() threw: not in this weather: "
                            "remove the plugin or mend it");
}

TEST_F(DeployerSelection, OneThatHangsIsSkippedNamedAndNotWaitedForTwice) {
  ::setenv("FRESHET_TEST_CALM", "1", 1);
  for (auto patience = std::chrono::milliseconds(50); patience < std::chrono::minutes(1);
       patience *= 2) {
    PluginCatalog plugins(path(), patience);
    std::vector<std::string> skipped;
    EXPECT_FALSE(is_cluster_target(plugins, target("moor"), skipped));
    ASSERT_EQ(skipped.size(), 1u);
    // What comes before that call must end in time, on a busy machine, too.
    if (!contains(skipped[0], "is skipped: its is_compatible_with()")) continue;
    EXPECT_TRUE(contains(skipped[0], "has not returned within")) << skipped[0];
    EXPECT_TRUE(contains(skipped[0], (folder_ / "moor.so").native())) << skipped[0];
    std::vector<std::string> again;
    EXPECT_FALSE(is_cluster_target(plugins, target("moor"), again));
    EXPECT_EQ(again, skipped);
    return;
  }
  FAIL() << "another call is named";
}

}  // namespace
}  // namespace freshet::core
