// A connector plugin in a job that was built without it.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "fr.h"

namespace {

using namespace freshet::testing;

class Connector : public ::testing::Test {
 protected:
  Connector() {
    std::filesystem::create_directory(plugins_);
    std::filesystem::copy_file(path_from("FRESHET_TEST_CONNECTOR"), plugins_ + "/notes.so");
  }
  Outcome run_job(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{"--plugin-dir", plugins_};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return fr_run_.local(path_from("FRESHET_TEST_CONNECTOR_JOB"), all);
  }

  const FrRun fr_run_{};
  const Fr fr_{};
  const ScratchFolder scratch_;
  const std::string plugins_ = scratch_ / "plugins";
};

TEST_F(Connector, RunsItsSourceAndSinkInAJobThatNamesThem) {
  const std::string from = scratch_.write("from", "one\ntwo\nthree\n");
  for (const std::string parallelism : {"1", "3"}) {
    const Outcome outcome =
        run_job({"--parallelism", parallelism, from, scratch_ / ("to" + parallelism)});
    ASSERT_EQ(outcome.code, 0) << outcome.text();
    std::string all;
    for (int i = 0; i < std::stoi(parallelism); ++i)
      all += text_of_file(scratch_ / ("to" + parallelism + "-" + std::to_string(i)));
    EXPECT_EQ(all, "> one\n> two\n> three\n");
  }
}

TEST_F(Connector, AJobThatFailsLeavesNothingOfTheSinkBehind) {
  const Outcome outcome = run_job({scratch_ / "nowhere", scratch_ / "to"});
  EXPECT_EQ(outcome.code, 70);
  EXPECT_NE(outcome.errors.find("notes.read"), std::string::npos) << outcome.text();
  EXPECT_NE(outcome.errors.find("can't open"), std::string::npos) << outcome.text();
  EXPECT_EQ(names_in(scratch_.path()), std::vector<std::string>{"plugins"});
}

TEST_F(Connector, AFolderAsInputIsNoEmptyFile) {
  const Outcome outcome = run_job({plugins_, scratch_ / "to"});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_NE(outcome.errors.find("can't read '" + plugins_ + "' to its end"), std::string::npos)
      << outcome.text();
  EXPECT_EQ(names_in(scratch_.path()), std::vector<std::string>{"plugins"});
}

TEST_F(Connector, ASinkThatCanNotCommitFailsTheJob) {
  const std::string from = scratch_.write("from", "one\n");
  scratch_.write("to-0/in the way", "");
  const Outcome outcome = run_job({"--parallelism", "1", from, scratch_ / "to"});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_NE(outcome.errors.find("'" + std::filesystem::canonical(scratch_.path()).string() +
                                "/to-0' has come there from elsewhere"),
            std::string::npos)
      << outcome.text();
  EXPECT_NE(outcome.errors.find("Nothing of the job is visible"), std::string::npos)
      << outcome.text();
}

// Instead of a plugin folder: what belongs to one application comes with it.
TEST_F(Connector, IsFoundWhereItIsShippedWithTheApplication) {
  const std::string job = path_from("FRESHET_TEST_CONNECTOR_JOB");
  const std::string plugin = plugins_ + "/notes.so";
  const std::string from = scratch_.write("from", "one\ntwo\n");
  const Outcome outcome = fr_run_.local(job, {"--ship", plugin, from, scratch_ / "to"});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  Surroundings around = fr_run_.surroundings();
  around.variables["XDG_STATE_HOME"] = scratch_ / "state";
  const Outcome on_cluster =
      run(fr_run_.line({job, "--target=standalone", "--ship", plugin, from, scratch_ / "there"}),
          around);
  EXPECT_EQ(on_cluster.code, 0) << on_cluster.text();
  EXPECT_EQ(text_of_file(scratch_ / "there-0"), text_of_file(scratch_ / "to-0"));
  const Outcome plan = fr_({"info", job, "--ship", plugin, from, scratch_ / "to"});
  EXPECT_EQ(plan.code, 0) << plan.text();
  EXPECT_NE(plan.output.find("notes.read"), std::string::npos) << plan.text();
  // One that does not run here is named, not the application.
  std::string bytes = text_of_file(plugin);
  const std::string own = "stdlib=libstdc++", other = "stdlib=libstdx++";
  ASSERT_NE(bytes.find(own), std::string::npos);
  for (std::size_t at = 0; (at = bytes.find(own, at)) != std::string::npos;)
    bytes.replace(at, own.size(), other);
  const std::string foreign = scratch_.write("foreign.so", bytes);
  const Outcome refused = fr_run_.local(job, {"--ship", foreign, from, scratch_ / "no"});
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_NE(refused.errors.find("the shipped file 'foreign.so' "), std::string::npos)
      << refused.text();
}

TEST_F(Connector, WithoutThePluginTheJobIsRefusedByTheOperatorsName) {
  const Outcome outcome =
      fr_run_.local(path_from("FRESHET_TEST_CONNECTOR_JOB"), {scratch_ / "from", scratch_ / "to"});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_NE(outcome.errors.find("'notes.read'"), std::string::npos) << outcome.text();
}

TEST_F(Connector, RecordsOfAnotherTypeFailTheJobBeforeTheyAreRead) {
  const std::string from = scratch_.write("from", "one\n");
  const auto wrong = [&](const std::string& which, const std::string& path) {
    return fr_run_.local(path_from("FRESHET_TEST_WRONG_RECORDS"),
                         {"--plugin-dir", plugins_, which, path});
  };
  const Outcome source = wrong("source", from);
  EXPECT_EQ(source.code, 70) << source.text();
  EXPECT_NE(
      source.errors.find("operator 'notes.read' (subtask 0): it writes records of schema string "
                         "to an output that the job graph has as i64: let the job say"),
      std::string::npos)
      << source.text();
  const Outcome sink = wrong("sink", scratch_ / "to");
  EXPECT_EQ(sink.code, 70) << sink.text();
  EXPECT_NE(sink.errors.find("records i64"), std::string::npos) << sink.text();
}

TEST_F(Connector, FrInfoExplainsAJobWithOperatorsOfAPlugin) {
  const std::string job = path_from("FRESHET_TEST_CONNECTOR_JOB");
  const Outcome by_flag = fr_({"info", "--json", job, "--plugin-dir", plugins_, "from", "to"});
  ASSERT_EQ(by_flag.code, 0) << by_flag.text();
  const auto plan = nlohmann::json::parse(by_flag.output).at(0);
  EXPECT_EQ(plan["name"], "notes");
  EXPECT_EQ(plan["vertices"][0]["name"], "notes.read");
  EXPECT_EQ(plan["modules"][0]["name"], "notes.so");
  EXPECT_EQ(fr_({"info", "-D", "plugin.dirs=" + plugins_, job, "from", "to"}).code, 0);

  const Outcome without = fr_({"info", job, "from", "to"});
  EXPECT_EQ(without.code, 65) << without.text();
  EXPECT_NE(without.errors.find("notes.read"), std::string::npos) << without.text();
}

}  // namespace
