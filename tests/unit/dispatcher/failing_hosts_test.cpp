// What hosts do to jobs is not the jobs' failure: task managers that end, are lost, or can't start
// processes.
#include <gtest/gtest.h>

#include "scenario.h"

namespace freshet::testing {
using namespace core;
namespace {

JobBehaviour endless() {
  JobBehaviour behaviour;
  behaviour.runs_ms = -1;
  return behaviour;
}

SimulatedClusterOptions cluster_of(std::uint32_t task_managers) {
  SimulatedClusterOptions options;
  options.task_managers = task_managers;
  options.slots = 1;
  return options;
}

class FailingHosts : public ::testing::Test {
 protected:
  static std::unique_ptr<JobClient> submit(Scenario& scenario, int number,
                                           const std::string& settings = "",
                                           const JobBehaviour& behaviour = {}) {
    return scenario.wait(
        scenario.client.submit_job(Scenario::job(number, 1, behaviour, settings), ""));
  }
  static std::string detail(Scenario& scenario, const std::string& job_id) {
    for (const JobInfo& job : scenario.cluster.job_manager()->dispatcher().jobs()) {
      if (job.job_id == job_id) return job.detail;
    }
    return "";
  }
};

TEST_F(FailingHosts, OneThatEndsFailsWhatRunsThereByNameAndNothingThatWaits) {
  Scenario scenario(cluster_of(1));
  const auto running = submit(scenario, 1, "", endless());
  ASSERT_TRUE(scenario.becomes(running->job_id(), JobStatus::kRunning));
  std::vector<std::unique_ptr<JobClient>> waiting;
  for (int number = 2; number < 5; ++number) waiting.push_back(submit(scenario, number));
  scenario.cluster.end_task_manager(0);
  const JobResult ended = scenario.wait(running->result());
  EXPECT_EQ(ended.status, JobStatus::kFailed);
  EXPECT_NE(ended.failure->message.find(
                "is lost with task manager 'tm0' on tm0: it ends: Terminated (signal 15)"),
            std::string::npos)
      << ended.failure->message;
  scenario.cluster.run_for(5'000);
  for (const auto& job : waiting) {
    EXPECT_EQ(scenario.wait(job->status()), JobStatus::kCreated);
    EXPECT_FALSE(scenario.cluster.has_begun_a_worker(job->job_id()));
  }
  scenario.cluster.start_task_manager(0);
  for (const auto& job : waiting) {
    EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
  }
}

// At each millisecond of what goes before the process: its slot, the request, the files.
TEST_F(FailingHosts, OneThatEndsFailsNothingThatItHasNotBegun) {
  for (int number = 1; number <= 20; ++number) {
    for (std::int64_t after_ms = 0;; ++after_ms) {
      SimulatedClusterOptions options = cluster_of(1);
      options.seed = static_cast<std::uint64_t>(number);
      Scenario scenario(options);
      const auto job = submit(scenario, number);
      scenario.cluster.run_for(after_ms);
      if (scenario.cluster.has_begun_a_worker(job->job_id())) break;
      scenario.cluster.end_task_manager(0);
      scenario.cluster.run_for(1'000);
      if (scenario.cluster.has_begun_a_worker(job->job_id())) break;
      EXPECT_FALSE(job->result().ready())
          << "seed " << number << ", " << after_ms << " ms: " << detail(scenario, job->job_id());
      scenario.cluster.start_task_manager(0);
      EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
    }
  }
}

TEST_F(FailingHosts, OneThatIsKilledFailsNothingThatHasNotRun) {
  for (int number = 1; number <= 20; ++number) {
    SimulatedClusterOptions options = cluster_of(1);
    options.seed = static_cast<std::uint64_t>(number);
    Scenario scenario(options);
    const auto submitted = scenario.client.submit_job(Scenario::job(number, 1, {}), "");
    ASSERT_TRUE(scenario.cluster.run_until(
        [&] { return scenario.cluster.has_begun_a_worker(Scenario::id(number)); }, 60'000));
    scenario.cluster.crash_task_manager(0);
    scenario.cluster.run_for(1'000);
    const auto job = scenario.wait(submitted);
    EXPECT_EQ(scenario.wait(job->status()), JobStatus::kRestarting)
        << detail(scenario, job->job_id());
    scenario.cluster.start_task_manager(0);
    EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
  }
}

TEST_F(FailingHosts, OneThatStartsNoProcessIsGivenNoneForAWhileAndAnotherIs) {
  Scenario scenario(cluster_of(2));
  scenario.cluster.let_start_workers(0, false);
  for (int number = 1; number <= 6; ++number) {
    const auto job = submit(scenario, number);
    EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
    EXPECT_EQ(scenario.wait(job->details()).subtasks.at(0).host, "tm1");
  }
}

TEST_F(FailingHosts, WhoWaitsForOneIsToldWhyItRestsAndGetsItOnceItCan) {
  Scenario scenario(cluster_of(1));
  scenario.cluster.let_start_workers(0, false);
  const auto job = submit(scenario, 1);
  const std::string rests =
      "; 'tm0' rests, because its last worker could not be started: no such program";
  EXPECT_TRUE(scenario.cluster.run_until(
      [&] { return detail(scenario, job->job_id()).find(rests) != std::string::npos; }, 60'000))
      << detail(scenario, job->job_id());
  scenario.cluster.run_for(10'000);
  EXPECT_FALSE(job->result().ready());
  scenario.cluster.let_start_workers(0, true);
  EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
}

TEST_F(FailingHosts, FailAJobOnceItHasTriedForAsLongAsItWouldWaitForSlots) {
  Scenario scenario(cluster_of(1));
  scenario.cluster.let_start_workers(0, false);
  const auto job = submit(scenario, 1, "slot.request-timeout=5 s");
  scenario.cluster.run_for(4'000);
  EXPECT_FALSE(job->result().ready());
  const JobResult result = scenario.wait(job->result());
  EXPECT_EQ(result.status, JobStatus::kFailed);
  EXPECT_NE(result.failure->message.find("could not be started: no such program"),
            std::string::npos)
      << result.failure->message;
}

// As a loader that has no descriptors for its libraries: nothing of the job has run.
TEST_F(FailingHosts, OneWhoseWorkersEndBeforeTheyAreReadyFailsNoJob) {
  Scenario scenario(cluster_of(1));
  ProcessEnd end;
  end.exit_code = 127;
  end.last_lines = "cannot open shared object file: Error 24";
  scenario.cluster.let_start_workers_that_end(0, end);
  const auto job = submit(scenario, 1);
  const std::string rests =
      "; 'tm0' rests, because its last worker exited with 127; its last lines: cannot open";
  EXPECT_TRUE(scenario.cluster.run_until(
      [&] { return detail(scenario, job->job_id()).find(rests) != std::string::npos; }, 60'000))
      << detail(scenario, job->job_id());
  scenario.cluster.let_start_workers(0, true);
  EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kFinished);
}

// That one is the user's, and would be met again.
TEST_F(FailingHosts, OneThatEndsAWorkerByItsLimitOfMemoryFailsTheJob) {
  Scenario scenario(cluster_of(1));
  ProcessEnd end;
  end.signal = 9;
  end.killed_because = "it has more memory than taskmanager.memory.worker allows";
  scenario.cluster.let_start_workers_that_end(0, end);
  EXPECT_EQ(scenario.wait(submit(scenario, 1)->result()).status, JobStatus::kFailed);
}

}  // namespace
}  // namespace freshet::testing
