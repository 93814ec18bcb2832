// Jobs that commit, whole clusters in simulated time: by whom, how often, and that a job whose
// output may be visible is never run again.
#include <gtest/gtest.h>

#include "scenario.h"

namespace freshet::testing {
using namespace core;
namespace {

JobBehaviour commits_within(std::int64_t milliseconds) {
  JobBehaviour behaviour;
  behaviour.runs_ms = 50;
  behaviour.commits_ms = milliseconds;
  return behaviour;
}

constexpr const char* kRestarts =
    "restart-strategy.type=fixed-delay;restart-strategy.fixed-delay.attempts=5;"
    "restart-strategy.fixed-delay.delay=1 ms";

TEST(Commits, AJobIsCommittingBeforeItHasFinished) {
  Scenario scenario;
  const auto job =
      scenario.wait(scenario.client.submit_job(Scenario::job(1, 3, commits_within(20'000)), ""));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kCommitting));
  EXPECT_FALSE(job->result().ready());
  const JobResult result = scenario.wait(job->result());
  EXPECT_EQ(result.status, JobStatus::kFinished);
  EXPECT_EQ(result.accumulators.at("subtasks").count, 3u);
  EXPECT_TRUE(scenario.clears());
}

TEST(Commits, ACancelIsRefusedAndAForcedOneFailsTheJob) {
  Scenario scenario;
  JobBehaviour never = commits_within(10);
  never.commit_fails_one_in = 1;
  const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 2, never), ""));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kCommitting));
  const std::string refused = scenario.error(job->cancel());
  EXPECT_NE(refused.find("is committing: it can't be canceled"), std::string::npos) << refused;
  scenario.cluster.run_for(5'000);
  EXPECT_EQ(scenario.wait(job->status()), JobStatus::kCommitting);
  scenario.wait(job->cancel_by_force());
  const JobResult result = scenario.wait(job->result());
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(result.failure->message.find("could not be committed since it was canceled by"),
            std::string::npos)
      << result.failure->message;
  EXPECT_NE(result.failure->message.find("no room for part-"), std::string::npos)
      << result.failure->message;
  EXPECT_TRUE(scenario.clears());
}

TEST(Commits, WhatFailsNowAndThenIsTriedUntilItIsDone) {
  for (int number = 1; number <= 10; ++number) {
    Scenario scenario;
    JobBehaviour fails = commits_within(50);
    fails.commit_fails_one_in = 2;
    const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(number, 4, fails), ""));
    EXPECT_EQ(scenario.wait(job->result(), 300'000).status, JobStatus::kFinished);
    EXPECT_TRUE(scenario.clears());
  }
}

TEST(Commits, WhatAlwaysFailsEndsWithItsTimeAndNamesWhatIsVisible) {
  Scenario scenario;
  JobBehaviour never = commits_within(10);
  never.commit_fails_one_in = 1;
  const auto job = scenario.wait(scenario.client.submit_job(
      Scenario::job(1, 2, never, std::string(kRestarts) + ";execution.commit-timeout=8 s"), ""));
  const JobResult result = scenario.wait(job->result());
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(result.failure->message.find("within 8 s (execution.commit-timeout)"),
            std::string::npos)
      << result.failure->message;
  EXPECT_NE(result.failure->message.find("Nothing of the job is visible. What is prepared and not "
                                         "committed may be left"),
            std::string::npos)
      << result.failure->message;
  EXPECT_EQ(scenario.wait(job->details()).subtasks.at(0).attempt, 0u) << "it is not run again";
  EXPECT_TRUE(scenario.clears());
}

// Their workers are stopped before anybody is told: nothing becomes visible afterwards, and what
// did before is named though its worker has answered for another output never.
TEST(Commits, ThoseThatNeverReturnAreStoppedBeforeTheFailureIsToldThatNamesTheOthers) {
  int named = 0;
  for (int number = 1; number <= 20; ++number) {
    for (const bool by_force : {false, true}) {
      SimulatedClusterOptions options;
      options.seed = static_cast<std::uint64_t>(number);
      Scenario scenario(options);
      JobBehaviour hangs = commits_within(50);
      hangs.commit_hangs_one_in = 2;
      const auto job = scenario.wait(scenario.client.submit_job(
          Scenario::job(number, 4, hangs,
                        "execution.commit-timeout=8 s;task.cancellation-timeout=1 h"),
          ""));
      ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kCommitting));
      scenario.cluster.run_for(1'000);
      if (by_force) {
        if (scenario.wait(job->status()) == JobStatus::kFinished) continue;
        scenario.wait(job->cancel_by_force());
      }
      const auto end = job->result();
      ASSERT_TRUE(scenario.cluster.run_until([&] { return end.ready(); }, 60'000));
      if (end.get().status == JobStatus::kFinished) continue;
      EXPECT_EQ(scenario.cluster.processes("worker"), 0u);
      const std::string text = end.get().failure->message;
      EXPECT_NE(text.find("its commit() had not returned, so its worker was stopped"),
                std::string::npos)
          << text;
      EXPECT_NE(text.find("Look for these, which may be visible"), std::string::npos) << text;
      if (text.find(". Visible of this job are: 'part-") != std::string::npos) ++named;
      EXPECT_TRUE(scenario.clears());
    }
  }
  EXPECT_GT(named, 0);
}

TEST(Commits, WorkersThatAreLostAreReplacedAndTheJobIsNotRunAgain) {
  Scenario scenario;
  const auto job = scenario.wait(
      scenario.client.submit_job(Scenario::job(1, 4, commits_within(30'000), kRestarts), ""));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kCommitting));
  for (int round = 0; round < 3; ++round) {
    scenario.cluster.run_for(200);
    for (int worker = 0; worker < 4; ++worker) scenario.cluster.crash_a_worker();
  }
  const JobResult result = scenario.wait(job->result(), 300'000);
  EXPECT_EQ(result.status, JobStatus::kFinished);
  EXPECT_EQ(result.accumulators.at("subtasks").count, 4u) << "as told before the commit";
  EXPECT_TRUE(scenario.clears());
}

TEST(Commits, ANewLeaderCommitsAndDoesNotRunTheJobAgain) {
  SimulatedClusterOptions options;
  options.job_managers = 2;
  Scenario scenario(options);
  const auto job = scenario.wait(
      scenario.client.submit_job(Scenario::job(1, 2, commits_within(5'000), kRestarts), ""));
  const auto end = job->result();
  HighAvailabilityInMemory& service = scenario.cluster.high_availability();
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kCommitting));
  EXPECT_EQ(service.job_graphs().count(job->job_id() + ".commit"), 1u);
  scenario.cluster.crash_job_manager();
  const JobResult result = scenario.wait(end, 120'000);
  EXPECT_EQ(result.status, JobStatus::kFinished);
  EXPECT_EQ(result.accumulators.at("subtasks").count, 2u);
  EXPECT_TRUE(scenario.cluster.run_until([&] { return service.job_graphs().empty(); }, 10'000));
  EXPECT_TRUE(scenario.clears());
}

TEST(Commits, ALeaderThatCanNotStoreThemCommitsNothing) {
  SimulatedClusterOptions options;
  options.job_managers = 2;
  Scenario scenario(options);
  const auto job =
      scenario.wait(scenario.client.submit_job(Scenario::job(1, 2, commits_within(10)), ""));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRunning));
  HighAvailabilityInMemory& service = scenario.cluster.high_availability();
  service.break_stores("the disk is full");
  scenario.cluster.run_for(5'000);
  EXPECT_EQ(scenario.wait(job->status()), JobStatus::kRunning);
  EXPECT_NE(scenario.error(job->cancel()).find("is committing"), std::string::npos);
  service.break_stores("");
  EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
  EXPECT_TRUE(scenario.clears());
}

}  // namespace
}  // namespace freshet::testing
