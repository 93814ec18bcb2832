// `fr plugin check` of deployers: those of Freshet pass, and each thing that is wrong with one
// makes its own case fail.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "fr.h"

namespace {

using namespace freshet::testing;
using nlohmann::json;
using Names = std::set<std::string>;

struct Checked {
  Outcome outcome;
  json report;

  Names with(const std::string& result) const {
    Names names;
    for (const json& each : report["cases"])
      if (each["result"] == result) names.insert(each["name"]);
    return names;
  }
  std::string detail(const std::string& name) const {
    for (const json& each : report["cases"])
      if (each["name"] == name) return each["detail"];
    return "no case " + name;
  }
};

Checked check(const std::string& file, const std::string& bad = {}) {
  const Fr fr;
  Surroundings around = fr.surroundings();
  around.variables["FRESHET_TEST_BAD"] = bad;
  Checked checked{fr.in(around, {"plugin", "check", "--json", "--time-limit", "60", file}), {}};
  checked.report = json::parse(checked.outcome.output, nullptr, /*allow_exceptions=*/false);
  return checked;
}

const Names kOfDeployers{"targets", "describe", "unknown", "session", "kill"};

TEST(FrPluginCheck, DeployersOfFreshetAndOfItsSamplesPass) {
  for (const char* variable : {"FRESHET_TEST_STANDALONE_DEPLOYER", "FRESHET_TEST_COMMAND_DEPLOYER",
                               "FRESHET_TEST_BAD_DEPLOYER"}) {
    const Checked checked = check(path_from(variable));
    EXPECT_EQ(checked.outcome.code, 0) << variable << checked.outcome.text();
    const Names passed = checked.with("passed");
    for (const std::string& name : kOfDeployers) EXPECT_EQ(passed.count(name), 1u) << name;
  }
}

struct Wrong {
  const char* what;
  const char* failed_case;
  const char* says;
};

TEST(FrPluginCheck, OneThingThatIsWrongWithADeployerIsFound) {
  for (const Wrong& wrong :
       {Wrong{"takes any target", "targets", "says yes to target 'bad-other'"},
        Wrong{"says nothing of itself", "describe", "say in one line"},
        Wrong{"does not say where it looked", "unknown", "name the id and where it looked"},
        Wrong{"knows nothing of the dead", "unknown",
              "kill() of a cluster that is not there fails"},
        Wrong{"takes an id twice", "session", "takes an id that is there already"},
        Wrong{"leaves processes", "kill", "processes are left after kill()"},
        Wrong{"leaves the record", "kill", "the record of the cluster is left after kill()"}}) {
    const Checked checked = check(path_from("FRESHET_TEST_BAD_DEPLOYER"), wrong.what);
    EXPECT_EQ(checked.outcome.code, 1) << wrong.what << checked.outcome.text();
    EXPECT_EQ(checked.with("failed").count(wrong.failed_case), 1u)
        << wrong.what << checked.report.dump(2);
    EXPECT_NE(checked.detail(wrong.failed_case).find(wrong.says), std::string::npos)
        << wrong.what << ": " << checked.detail(wrong.failed_case);
  }
}

}  // namespace
