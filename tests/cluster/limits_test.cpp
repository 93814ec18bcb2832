// What is too large for a message between processes: it is cut, goes in pieces, or is refused by
// name, and nobody else notices.
#include <gtest/gtest.h>
#include <unistd.h>

#include <utility>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class Limits : public ClusterTest {
 protected:
  // As people ask, whatever stands in the records.
  void expect_served() const {
    EXPECT_EQ(fr({"list"}).code, 0);
    EXPECT_EQ(in_session({"greet"}).output, "hello from main\n");
  }
  Outcome on(const std::string& target, Words words) const {
    words.insert(words.begin(), "--target=" + target);
    return fr_run(words);
  }
};

TEST_F(Limits, AFailureOf68MegabytesIsCutAndLosesNeitherEndNorOperator) {
  start_session("s");
  const Outcome outcome = in_session({"fail-large", "68"});
  EXPECT_EQ(outcome.code, 70) << outcome.text().substr(0, 2'000);
  EXPECT_LT(outcome.errors.size(), 200'000u);
  for (const char* part :
       {"talkative", "at record 7", "it begins ...", "bytes left out", "it ends"})
    EXPECT_TRUE(says(outcome, part)) << part << ": " << outcome.text().substr(0, 2'000);
  const auto applications = fr_json({"list"});
  ASSERT_EQ(applications.size(), 1u);
  const std::string id = applications[0]["id"], job = applications[0]["jobs"][0]["id"];
  for (const std::string& each : {id, id.substr(0, 6), job, job.substr(0, 6)}) {
    const Outcome status = fr({"status", each});
    EXPECT_EQ(status.code, 0) << status.text().substr(0, 2'000);
    EXPECT_NE(status.output.find("it ends"), std::string::npos);
    EXPECT_EQ(fr({"wait", each}).code, 70);
  }
  EXPECT_EQ(fr({"logs", id}).code, 0);
  const std::string log = fr({"logs", job + ":0"}).output;
  EXPECT_EQ(log.find("terminate called"), std::string::npos) << log.substr(0, 2'000);
  expect_served();
  stop_session("s");
}

TEST_F(Limits, RowsOf70MegabytesComeFromEverywhere) {
  const std::string expected =
      "3 rows, " +
      std::to_string(3 * ((std::size_t{70} << 20) + sizeof "it begins  it ends.") - 3) + " bytes\n";
  const Words job{"--parallelism", "2", "-D", "task.buffers-per-channel=1", "collect-large", "70"};
  const Outcome local = on("local", job);
  EXPECT_EQ(local.output, expected) << local.text();
  ASSERT_EQ(fr({"cluster", "start", "--cluster-id=s", "--task-managers=2", "--slots=1"}).code, 0);
  const Outcome outcome = in_session(job);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, expected);
  expect_served();
  stop_session("s");
}

TEST_F(Limits, AccumulatorsAboveTheLimitFailTheJobByNameBeforeItCommits) {
  // In one subtask, at the operator; in two workers, each of which is below the limit.
  ASSERT_EQ(fr({"cluster", "start", "--cluster-id=s", "--task-managers=2", "--slots=1"}).code, 0);
  for (const char* target : {"local", "standalone-session"}) {
    for (const auto& [parallelism, megabytes] : {std::pair{"1", "17"}, std::pair{"2", "9"}}) {
      const std::string folder = scratch_ / ("out-" + std::string(target) + parallelism);
      const Outcome outcome = on(target, {"--parallelism", parallelism, "keep", megabytes, folder});
      EXPECT_EQ(outcome.code, 70) << target << " " << outcome.text();
      EXPECT_TRUE(says(outcome, "the limit of a job is 16777216")) << outcome.text();
      EXPECT_TRUE(says(outcome, "'kept'")) << outcome.text();
      for (const std::string& name : names_in(folder)) EXPECT_EQ(name[0], '.') << name;
    }
    const Outcome outcome =
        on(target, {"--parallelism", "2", "keep", "7", scratch_ / (std::string(target) + "-fits")});
    EXPECT_EQ(outcome.output, "14 items\n") << outcome.text();
  }
  expect_served();
  stop_session("s");
}

TEST_F(Limits, AJobThatCarriesTooMuchIsRefusedByNameEverywhere) {
  start_session("s");
  for (const char* target : {"local", "standalone-session"}) {
    const Outcome outcome = on(target, {"carry", "49"});
    EXPECT_NE(outcome.code, 0);
    EXPECT_TRUE(says(outcome, "job 'carrying' has ")) << outcome.text();
    EXPECT_TRUE(says(outcome, "the limit is 50331648")) << outcome.text();
    EXPECT_EQ(on(target, {"carry", "40"}).code, 0) << target;
  }
  expect_served();
  stop_session("s");
}

TEST_F(Limits, AParallelismByMistakeIsRefusedAndHarmsNobody) {
  start_session("s");
  for (const char* target : {"local", "standalone-session"}) {
    for (const auto& [parallelism, refusal] :
         {std::pair{"30000", "subtasks, the limit is 100000"},
          std::pair{"10000", "channels between its subtasks, the limit is 4000000"}}) {
      const Outcome outcome =
          on(target, {"-D", std::string("parallelism.default=") + parallelism, "-D",
                      "pipeline.max-parallelism=32768", "exchange", "10"});
      EXPECT_NE(outcome.code, 0);
      EXPECT_TRUE(says(outcome, refusal)) << outcome.text();
    }
  }
  expect_served();
  stop_session("s");
}

// Nobody's standard input would be read, with code 0.
TEST_F(Limits, TheStandardInputIsRefusedWhereWorkersHaveNone) {
  start_session("s");
  for (const char* main : {"cluster", "client"}) {
    const Outcome outcome = in_session({"-D", std::string("execution.main=") + main, "read-input"});
    EXPECT_NE(outcome.code, 0) << main;
    EXPECT_TRUE(
        says(outcome, "reads the standard input, which the workers of a cluster do not have"))
        << outcome.text();
  }
  stop_session("s");
}

}  // namespace
