// `fr plugin check` of deployers: those of Freshet pass, and each thing that is wrong with one
// makes its own case fail.
#include <gtest/gtest.h>

#include "checked_plugin.h"

namespace {

using namespace freshet::testing;

const Names kOfDeployers{"targets", "describe", "unknown", "session", "resize", "kill"};

TEST(FrPluginCheck, DeployersOfFreshetAndOfItsSamplesPass) {
  for (const char* variable : {"FRESHET_TEST_STANDALONE_DEPLOYER", "FRESHET_TEST_COMMAND_DEPLOYER",
                               "FRESHET_TEST_BAD_DEPLOYER"}) {
    const Checked checked = check(path_from(variable));
    EXPECT_EQ(checked.outcome.code, 0) << variable << checked.outcome.text();
    const Names passed = checked.with("passed");
    for (const std::string& name : kOfDeployers) EXPECT_EQ(passed.count(name), 1u) << name;
  }
}

TEST(FrPluginCheck, OneThingThatIsWrongWithADeployerIsFound) {
  for (const Wrong& wrong :
       {Wrong{"takes any target", "targets", "says yes to target 'bad-other'"},
        Wrong{"says nothing of itself", "describe", "say in one line"},
        Wrong{"does not say where it looked", "unknown", "name the id and where it looked"},
        Wrong{"knows nothing of the dead", "unknown",
              "kill() of a cluster that is not there fails"},
        Wrong{"takes an id twice", "session", "takes an id that is there already"},
        Wrong{"says that it resizes", "resize", "resize() to 2 gives 1 names"},
        Wrong{"resizes in secret", "resize", "resize() works, but task_managers() refuses"},
        Wrong{"leaves processes", "kill", "processes are left after kill()"},
        Wrong{"leaves the record", "kill", "the record of the cluster is left after kill()"}}) {
    expect_found(path_from("FRESHET_TEST_BAD_DEPLOYER"), wrong);
  }
}

}  // namespace
