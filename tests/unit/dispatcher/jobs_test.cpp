// The life of a job on a cluster, case by case.
#include <gtest/gtest.h>

#include "scenario.h"

namespace freshet::testing {
namespace {

JobBehaviour endless() {
  JobBehaviour behaviour;
  behaviour.runs_ms = -1;
  return behaviour;
}

std::string all_messages(Scenario& scenario, JobClient& job) {
  std::string text;
  std::uint64_t after = 0;
  while (const auto message = scenario.wait(job.next_message(after))) {
    after = message->number;
    if (message->operator_name.empty() || message->text != "it runs") {
      text += std::string(name_of(message->status)) + "; ";
    }
  }
  return text;
}

TEST(Jobs, GoThroughTheirStatesAndTellWhatAllWorkersCounted) {
  Scenario scenario;
  const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 4, {}), ""));
  const JobResult result = scenario.wait(job->result());
  EXPECT_EQ(result.status, JobStatus::kFinished);
  EXPECT_EQ(result.accumulators.at("subtasks").count, 4u);
  EXPECT_EQ(all_messages(scenario, *job), "created; running; finished; ");
}

TEST(Jobs, SayWhatTheyWaitForAndGetItInTurn) {
  Scenario scenario;  // two task managers with two slots each
  const auto first = scenario.wait(scenario.client.submit_job(Scenario::job(1, 3, endless()), ""));
  ASSERT_TRUE(scenario.becomes(first->job_id(), JobStatus::kRunning));
  const auto second = scenario.wait(scenario.client.submit_job(Scenario::job(2, 2, {}), ""));
  scenario.cluster.run_for(3'000);
  EXPECT_EQ(scenario.wait(second->status()), JobStatus::kCreated) << "not running";
  const JobInfo waiting = scenario.wait(scenario.client.jobs()).at(1);
  EXPECT_EQ(waiting.detail, "waits for slots: needs 2 slots, 1 of 4 are free (task managers: 2)");
  scenario.wait(first->cancel());
  EXPECT_EQ(scenario.wait(second->result()).status, JobStatus::kFinished);
  EXPECT_EQ(scenario.wait(first->result()).status, JobStatus::kCanceled);
}

TEST(Jobs, FailWithTheSameWordsWhenNoSlotsCome) {
  Scenario scenario;
  const auto job = scenario.wait(scenario.client.submit_job(
      Scenario::job(1, 9, {},
                    "slot.request-timeout=5 s;restart-strategy.type=fixed-delay;"
                    "restart-strategy.fixed-delay.attempts=3"),
      ""));
  const JobResult result = scenario.wait(job->result(), 6'000);
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_EQ(result.failure->message,
            "waits for slots: needs 9 slots, 4 of 4 are free (task managers: 2) after 5000 ms "
            "(slot.request-timeout): set its parallelism to less, or add a task manager");
}

TEST(Jobs, StartAnewAsOftenAsTheirStrategyHasIt) {
  Scenario scenario;
  JobBehaviour crashes = endless();
  crashes.crashes_one_in = 1;
  const auto job = scenario.wait(scenario.client.submit_job(
      Scenario::job(1, 1, crashes,
                    "restart-strategy.type=fixed-delay;restart-strategy.fixed-delay.attempts=2;"
                    "restart-strategy.fixed-delay.delay=100 ms"),
      ""));
  const JobResult result = scenario.wait(job->result());
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(result.failure->message.find("killed by signal 11 (Segmentation fault)"),
            std::string::npos)
      << result.failure->message;
  EXPECT_NE(result.failure->message.find("its last lines: segmentation fault"), std::string::npos);
  const JobDetails details = scenario.wait(job->details());
  ASSERT_EQ(details.subtasks.size(), 1u);
  EXPECT_EQ(details.subtasks[0].attempt, 2u);
  EXPECT_EQ(details.subtasks[0].state, "failed");
}

TEST(Jobs, FailAtOnceWithoutAStrategy) {
  Scenario scenario;
  JobBehaviour fails = endless();
  fails.fails_one_in = 1;
  const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 2, fails), ""));
  const JobResult result = scenario.wait(job->result());
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_EQ(result.failure->operator_name, "map");
  EXPECT_EQ(scenario.wait(job->details()).subtasks.at(0).attempt, 0u);
  EXPECT_TRUE(scenario.clears());
}

TEST(Jobs, FailWithTheReasonOfWhatCanNotBeDeployed) {
  Scenario scenario;
  JobBehaviour refuses;
  refuses.refuses_one_in = 1;
  const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 1, refuses), ""));
  const JobResult result = scenario.wait(job->result());
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_EQ(result.failure->message, "an operator is missing here");
  EXPECT_TRUE(scenario.clears());
}

TEST(Jobs, AreCanceledInEveryState) {
  for (const std::int64_t after_ms : {0, 5, 20, 60, 150, 400, 3'000}) {
    Scenario scenario;
    const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 3, endless()), ""));
    scenario.cluster.run_for(after_ms);
    const auto canceled = job->cancel();
    EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kCanceled) << after_ms << " ms";
    EXPECT_TRUE(scenario.clears()) << after_ms << " ms";
  }
}

TEST(Jobs, KillWorkersThatDoNotEndWhenTheyAreCanceled) {
  Scenario scenario;
  JobBehaviour hangs = endless();
  hangs.hangs_one_in = 1;
  const auto job = scenario.wait(
      scenario.client.submit_job(Scenario::job(1, 2, hangs, "task.cancellation-timeout=2 s"), ""));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRunning));
  const auto canceled = job->cancel();
  scenario.cluster.run_for(1'500);
  EXPECT_FALSE(job->result().ready());
  EXPECT_EQ(scenario.wait(job->result(), 2'000).status, JobStatus::kCanceled);
  EXPECT_TRUE(scenario.clears());
}

TEST(Jobs, AreCanceledWhileTheyWaitToStartAnew) {
  Scenario scenario;
  JobBehaviour fails = endless();
  fails.fails_one_in = 1;
  const auto job = scenario.wait(scenario.client.submit_job(
      Scenario::job(1, 1, fails,
                    "restart-strategy.type=fixed-delay;restart-strategy.fixed-delay.attempts=9;"
                    "restart-strategy.fixed-delay.delay=30 s"),
      ""));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRestarting));
  scenario.cluster.run_for(3'000);
  const auto canceled = job->cancel();
  EXPECT_EQ(scenario.wait(job->result(), 1'000).status, JobStatus::kCanceled);
}

TEST(Jobs, GoOnWithAnotherTaskManagerWhenTheirsIsLost) {
  SimulatedClusterOptions options;
  options.task_managers = 3;
  Scenario scenario(options);
  const auto job = scenario.wait(scenario.client.submit_job(
      Scenario::job(1, 4, endless(),
                    "restart-strategy.type=fixed-delay;restart-strategy.fixed-delay.delay=0 ms"),
      ""));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRunning));
  scenario.cluster.crash_task_manager(0);
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRestarting));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRunning));
  for (const SubtaskDetails& subtask : scenario.wait(job->details()).subtasks) {
    EXPECT_NE(subtask.host, "tm0");
    EXPECT_EQ(subtask.attempt, 1u);
  }
}

TEST(Jobs, AreRefusedWithAnIdThatIsKnown) {
  Scenario scenario;
  ClusterClient& other = scenario.cluster.add_client("other").cluster();
  const std::string graph = Scenario::job(1, 1, endless());
  const auto first = scenario.client.submit_job(graph, "");
  const auto second = other.submit_job(graph, "");
  scenario.cluster.run_until([&] { return first.ready() && second.ready(); }, 60'000);
  const std::string errors = error_of(first) + error_of(second);
  EXPECT_EQ(errors.rfind("job id '" + Scenario::id(1) + "' is known already: 'job 1'", 0), 0u)
      << errors;
  EXPECT_EQ(scenario.wait(scenario.client.jobs()).size(), 1u);
}

TEST(Jobs, AreRefusedWithABadValueOrAFileThatIsNotThere) {
  Scenario scenario;
  const std::string bad = scenario.error(
      scenario.client.submit_job(Scenario::job(1, 1, {}, "slot.placement=everywhere"), ""));
  EXPECT_NE(bad.find("slot.placement"), std::string::npos) << bad;
  EXPECT_TRUE(scenario.wait(scenario.client.jobs()).empty());
}

// ---- clients ------------------------------------------------------------------------------------

TEST(ClusterClients, HearNothingOfWhatRanBeforeAJobManagerThatKeptNoRecords) {
  Scenario scenario;
  const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 1, endless()), ""));
  const auto end = job->result();
  scenario.cluster.crash_job_manager();
  scenario.cluster.run_for(300);
  scenario.cluster.start_job_manager();
  EXPECT_EQ(scenario.error(end), "job '" + Scenario::id(1) +
                                     "' is not known here: this cluster keeps no records of what "
                                     "ran before its job manager was started");
  EXPECT_TRUE(scenario.clears()) << "the workers of the job manager that is gone end";
}

TEST(ClusterClients, RideOutLostConnectionsWithoutSubmittingTwice) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SimulatedClusterOptions options;
    options.seed = seed;
    Scenario scenario(options);
    scenario.wait(scenario.client.status());
    const auto submitted = scenario.client.submit_job(Scenario::job(1, 1, {}), "");
    for (int i = 0; i < 10 && !submitted.ready(); ++i) {
      scenario.cluster.run_for(1);
      while (scenario.cluster.network().break_a_connection()) {
      }
    }
    EXPECT_EQ(scenario.wait(scenario.wait(Future<std::unique_ptr<JobClient>>(submitted))->result())
                  .status,
              JobStatus::kFinished)
        << "seed " << seed;
    EXPECT_EQ(scenario.wait(scenario.client.jobs()).size(), 1u) << "seed " << seed;
  }
}

TEST(ClusterClients, SayWhereTheyLookedWhenThereIsNoJobManager) {
  Scenario scenario;
  scenario.wait(scenario.client.status());
  scenario.cluster.crash_job_manager();
  const std::string error = scenario.error(scenario.client.jobs());
  EXPECT_EQ(error.rfind("no job manager of cluster 'simulated' answered within 30000 ms: looked "
                        "for at tcp://jm:",
                        0),
            0u)
      << error;
}

TEST(ClusterClients, AnswerThatThereAreNoSnapshotsYet) {
  Scenario scenario;
  const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 1, {}), ""));
  for (const std::string& error :
       {scenario.error(job->stop("/savepoints", false)), scenario.error(job->savepoint("/s"))}) {
    EXPECT_NE(error.find("is not supported by this job yet"), std::string::npos) << error;
  }
}

}  // namespace
}  // namespace freshet::testing
