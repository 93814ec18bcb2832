// The life of applications, case by case: docs/maintainers/clusters.md has the table.
#include <gtest/gtest.h>

#include "scale.h"
#include "scenario.h"

namespace freshet::testing {
using namespace core;
namespace {

using End = MainScript::End;

MainScript script(std::uint32_t jobs, End end = End::kReturns) {
  MainScript script;
  script.jobs = jobs;
  script.at_once = true;
  script.end = end;
  return script;
}

TEST(Applications, FinishWithoutAJob) {
  Scenario scenario;
  const ApplicationInfo told = scenario.run(script(0));
  EXPECT_EQ(told.status, ApplicationStatus::kFinished);
  EXPECT_EQ(told.exit_code, 0);
  EXPECT_TRUE(told.jobs.empty());
}

TEST(Applications, FinishOnceAllJobsHave) {
  Scenario scenario;
  const ApplicationInfo told = scenario.run(script(3));
  EXPECT_EQ(told.status, ApplicationStatus::kFinished);
  ASSERT_EQ(told.jobs.size(), 3u);
  for (const JobInfo& job : told.jobs) EXPECT_EQ(job.status, JobStatus::kFinished);
  EXPECT_TRUE(scenario.clears());
}

TEST(Applications, RunOnWhileJobsDoAfterMainHasReturned) {
  Scenario scenario;
  MainScript endless = script(1);
  endless.behaviour.runs_ms = -1;
  const std::string id =
      scenario.wait(scenario.client.submit_application(Scenario::application(endless)));
  scenario.cluster.run_for(5'000);
  EXPECT_EQ(scenario.cluster.processes("runner"), 0u);
  const ApplicationInfo runs = scenario.wait(scenario.client.application(id));
  EXPECT_EQ(runs.status, ApplicationStatus::kRunning);
  EXPECT_EQ(runs.exit_code, 0);
  scenario.wait(scenario.client.cancel_application(id));
  EXPECT_EQ(scenario.wait(scenario.client.application_end(id)).status,
            ApplicationStatus::kCanceled);
}

TEST(Applications, LetTheirOtherJobsRunToTheirEndWhenOneFails) {
  Scenario scenario;
  scenario.wait(scenario.client.status());
  const std::string id = scenario.wait(
      scenario.client.submit_application(Scenario::application(script(0, End::kNever))));
  JobBehaviour fails, runs;
  fails.fails_one_in = 1;
  fails.runs_ms = -1;
  runs.runs_ms = 3'000;
  const auto bad = scenario.wait(scenario.client.submit_job(Scenario::job(8, 1, fails), id));
  const auto good = scenario.wait(scenario.client.submit_job(Scenario::job(9, 1, runs), id));
  EXPECT_EQ(scenario.wait(bad->result()).status, JobStatus::kFailed);
  EXPECT_EQ(scenario.wait(good->result()).status, JobStatus::kFinished);
}

TEST(Applications, FailWithAJobsReasonOnceMainHasReturned) {
  Scenario scenario;
  MainScript fails = script(2);
  fails.behaviour.fails_one_in = 1;
  fails.behaviour.runs_ms = -1;
  const ApplicationInfo told = scenario.run(fails);
  EXPECT_EQ(told.status, ApplicationStatus::kFailed);
  EXPECT_EQ(told.exit_code, 0);
  EXPECT_NE(told.reason.find("operator 'map' (subtask 0): a record that it does not like"),
            std::string::npos)
      << told.reason;
}

TEST(Applications, FailWithMainsReasonBeforeItSubmitsAnything) {
  for (const auto& [end, reason, code] :
       {std::tuple(End::kThrows, "main threw: as the script has it", 71),
        std::tuple(End::kExits, "main exited with 3", 3)}) {
    Scenario scenario;
    const ApplicationInfo told = scenario.run(script(0, end));
    EXPECT_EQ(told.status, ApplicationStatus::kFailed);
    EXPECT_EQ(told.reason, reason);
    EXPECT_EQ(told.exit_code, code);
  }
}

TEST(Applications, CancelTheirJobsWhenMainFailsAfterItSubmittedThem) {
  for (const End end : {End::kThrows, End::kExits, End::kCrashes}) {
    Scenario scenario;
    MainScript endless = script(2, end);
    endless.behaviour.runs_ms = -1;
    const ApplicationInfo told = scenario.run(endless);
    EXPECT_EQ(told.status, ApplicationStatus::kFailed);
    EXPECT_EQ(told.reason.rfind("main ", 0), 0u) << told.reason;
    ASSERT_EQ(told.jobs.size(), 2u);
    for (const JobInfo& job : told.jobs) EXPECT_EQ(job.status, JobStatus::kCanceled);
    EXPECT_EQ(told.signal.value_or(0), end == End::kCrashes ? 11 : 0);
    EXPECT_TRUE(scenario.clears());
  }
}

TEST(Applications, CancelJobsThenMainWhenTheyAreCanceled) {
  Scenario scenario;
  MainScript endless = script(1, End::kNever);
  endless.behaviour.runs_ms = -1;
  const std::string id =
      scenario.wait(scenario.client.submit_application(Scenario::application(endless)));
  scenario.cluster.run_for(3'000);
  scenario.wait(scenario.client.cancel_application(id));
  const ApplicationInfo told = scenario.wait(scenario.client.application_end(id));
  EXPECT_EQ(told.status, ApplicationStatus::kCanceled);
  EXPECT_EQ(told.reason, "canceled by client");
  EXPECT_EQ(told.signal, 9) << "main never ends by itself";
  ASSERT_EQ(told.jobs.size(), 1u);
  EXPECT_EQ(told.jobs[0].status, JobStatus::kCanceled);
  EXPECT_TRUE(scenario.clears());
}

TEST(Applications, AreCanceledWithTheNameOfTheJobWhoseCancelHasEndedMain) {
  Scenario scenario;
  MainScript waits = script(2);
  waits.at_once = false;
  waits.behaviour.runs_ms = -1;
  const std::string id =
      scenario.wait(scenario.client.submit_application(Scenario::application(waits)));
  ASSERT_TRUE(scenario.cluster.run_until(
      [&] { return !scenario.cluster.job_manager()->dispatcher().jobs().empty(); }, 60'000));
  const JobInfo job = scenario.cluster.job_manager()->dispatcher().jobs().front();
  ASSERT_TRUE(scenario.becomes(job.job_id, JobStatus::kRunning));
  scenario.wait(scenario.client.job(job.job_id)->cancel());
  const ApplicationInfo told = scenario.wait(scenario.client.application_end(id));
  EXPECT_EQ(told.status, ApplicationStatus::kCanceled);
  EXPECT_EQ(told.reason, "job '" + job.job_name + "' was canceled");
  EXPECT_EQ(told.exit_code, 130);
  EXPECT_EQ(told.jobs.size(), 1u) << "main has left before it submitted another one";
  EXPECT_TRUE(scenario.clears());
}

TEST(Applications, AreCanceledBeforeTheirFilesHaveCome) {
  Scenario scenario;
  ApplicationSpec spec = Scenario::application(script(1));
  spec.main.location = "https://host/application.so";
  const std::string id = scenario.wait(scenario.client.submit_application(spec));
  const auto canceled = scenario.client.cancel_application(id);
  EXPECT_EQ(scenario.wait(scenario.client.application_end(id)).status,
            ApplicationStatus::kCanceled);
  scenario.cluster.run_for(2'000);
  EXPECT_EQ(scenario.cluster.processes("runner"), 0u) << "main never begins";
}

TEST(Applications, FailWhenAFileCanNotBeFetched) {
  Scenario scenario;
  ApplicationSpec spec = Scenario::application(script(1));
  spec.main.location = "https://host/missing.so";
  const std::string id = scenario.wait(scenario.client.submit_application(spec));
  const ApplicationInfo told = scenario.wait(scenario.client.application_end(id));
  EXPECT_EQ(told.status, ApplicationStatus::kFailed);
  EXPECT_EQ(told.reason, "'https://host/missing.so' is not there");
  EXPECT_FALSE(told.exit_code);
}

TEST(Applications, AreAcceptedOnceOfTwoSubmissionsWithOneId) {
  Scenario scenario;
  ClusterClient& other = scenario.cluster.add_client("other").cluster();
  const auto spec = Scenario::application(script(1));
  const auto first = scenario.client.submit_application(spec);
  const auto second = other.submit_application(spec);
  const std::string errors = scenario.error(first) + scenario.error(second);
  EXPECT_EQ(errors.rfind("application id '" + spec.id + "' is known already: ", 0), 0u) << errors;
  EXPECT_EQ(scenario.wait(scenario.client.applications()).size(), 1u);
}

TEST(Applications, TakeAJobIdOnce) {
  Scenario scenario;
  MainScript twice = script(2);
  twice.same_id = true;
  const ApplicationInfo told = scenario.run(twice);
  EXPECT_EQ(told.status, ApplicationStatus::kFinished);
  EXPECT_EQ(told.jobs.size(), 1u);
}

TEST(Applications, RefuseAJobThatComesAfterTheirEnd) {
  Scenario scenario;
  const ApplicationInfo told = scenario.run(script(0));
  EXPECT_EQ(scenario.error(scenario.client.submit_job(Scenario::job(9, 1, {}), told.id)),
            "job 'job 9' comes too late: application '" + told.id + "' has ended: it is finished");
}

TEST(Applications, RefuseOptionsThatAreNotOfJobs) {
  Scenario scenario;
  ApplicationSpec spec = Scenario::application(script(0));
  spec.settings = {{"taskmanager.slots", "5"}};
  EXPECT_EQ(scenario.error(scenario.client.submit_application(spec)),
            "option 'taskmanager.slots' (5) comes with application 'application 1', but is no "
            "option of jobs: set it where the cluster is started");
}

TEST(Applications, KeepTheirRecordAfterTheirEnd) {
  Scenario scenario;
  const ApplicationInfo told = scenario.run(script(1));
  scenario.cluster.run_for(60'000);
  const ApplicationInfo kept = scenario.wait(scenario.client.application(told.id));
  EXPECT_EQ(kept.status, ApplicationStatus::kFinished);
  EXPECT_EQ(kept.ended_ms, told.ended_ms);
  ASSERT_EQ(kept.jobs.size(), 1u);
  const auto job = scenario.client.job(kept.jobs[0].job_id);
  EXPECT_EQ(scenario.wait(job->result()).accumulators.at("subtasks").count, 1u);
}

// ---- clusters of one application ----------------------------------------------------------------

SimulatedClusterOptions one_application() {
  SimulatedClusterOptions options;
  options.one_application = true;
  options.linger_ms = 2'000;
  return options;
}

TEST(ApplicationClusters, EndOnceWithTheirApplication) {
  Scenario scenario(one_application());
  const ApplicationInfo told = scenario.run(script(1));
  EXPECT_EQ(told.status, ApplicationStatus::kFinished);
  EXPECT_TRUE(scenario.cluster.run_until(
      [&] { return scenario.cluster.processes() == scenario.cluster.processes("client"); },
      20'000));
  EXPECT_EQ(scenario.cluster.job_manager_ends(), 1u);
}

TEST(ApplicationClusters, WaitForAClientThatAsksLate) {
  Scenario scenario(one_application());
  const std::string id =
      scenario.wait(scenario.client.submit_application(Scenario::application(script(0))));
  scenario.cluster.run_for(1'500);
  EXPECT_EQ(scenario.wait(scenario.client.application_end(id)).status,
            ApplicationStatus::kFinished);
}

TEST(ApplicationClusters, EndThoughNobodyAsks) {
  Scenario scenario(one_application());
  scenario.wait(scenario.client.submit_application(Scenario::application(script(0))));
  EXPECT_TRUE(scenario.cluster.run_until(
      [&] { return scenario.cluster.processes() == scenario.cluster.processes("client"); },
      20'000));
  EXPECT_EQ(scenario.cluster.job_manager_ends(), 1u);
}

TEST(ApplicationClusters, TakeNoSecondApplication) {
  Scenario scenario(one_application());
  scenario.wait(scenario.client.submit_application(Scenario::application(script(0, End::kNever))));
  const std::string refused =
      scenario.error(scenario.client.submit_application(Scenario::application(script(0), 2)));
  EXPECT_NE(refused.find("alone: submit 'application 2' to a session"), std::string::npos)
      << refused;
}

TEST(ApplicationClusters, AreShutDownWhileMainRunsExactlyOnce) {
  Scenario scenario(one_application());
  ClusterClient& other = scenario.cluster.add_client("other").cluster();
  const std::string id = scenario.wait(
      scenario.client.submit_application(Scenario::application(script(1, End::kNever))));
  const auto end = scenario.client.application_end(id);
  const auto first = scenario.client.shut_down();
  const auto second = other.shut_down();
  scenario.wait(first);
  scenario.wait(second);
  EXPECT_EQ(scenario.wait(end).status, ApplicationStatus::kCanceled);
  scenario.cluster.run_for(5'000);
  EXPECT_EQ(scenario.cluster.processes(), scenario.cluster.processes("client"));
  EXPECT_EQ(scenario.cluster.job_manager_ends(), 1u);
}

// What the job manager sent last is lost where its connections end before it has arrived.
TEST(Sessions, EndOnceAllWhoWaitHaveHeardOfTheEnd) {
  for (int seed = 1; seed <= scaled(80, 20); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimulatedClusterOptions options;
    options.seed = static_cast<std::uint64_t>(seed);
    Scenario scenario(options);
    std::vector<Future<ApplicationInfo>> ends;
    for (int i = 1; i <= 4; ++i) {
      ClusterClient& waits = scenario.cluster.add_client("waits " + std::to_string(i)).cluster();
      ends.push_back(waits.application_end(scenario.wait(
          waits.submit_application(Scenario::application(script(0, End::kNever), i)))));
    }
    scenario.cluster.run_for(1'000);
    scenario.wait(scenario.client.shut_down());
    for (const auto& end : ends) {
      EXPECT_EQ(scenario.error(end), "");
      if (scenario.error(end).empty()) {
        EXPECT_EQ(end.get().status, ApplicationStatus::kCanceled);
      }
    }
    EXPECT_TRUE(scenario.cluster.run_until([&] { return scenario.cluster.job_manager_ends() == 1; },
                                           20'000));
  }
}

TEST(Sessions, TellWhoAsksAfterTheirEndWhyTheyHaveEnded) {
  Scenario scenario;
  ClusterClient& other = scenario.cluster.add_client("other").cluster();
  scenario.wait(other.status());
  scenario.wait(scenario.client.shut_down());
  scenario.cluster.run_until([&] { return scenario.cluster.job_manager_ends() == 1; }, 60'000);
  scenario.cluster.run_for(1'000);
  const std::string error = scenario.error(other.status());
  EXPECT_NE(error.find("has ended: the cluster was shut down by client"), std::string::npos)
      << error;
}

TEST(Sessions, EndThoughAClientDoesNotAnswer) {
  Scenario scenario;
  scenario.wait(scenario.cluster.add_client("silent").cluster().status());
  scenario.cluster.network().part("silent", "jm");
  scenario.wait(scenario.client.shut_down());
  EXPECT_TRUE(
      scenario.cluster.run_until([&] { return scenario.cluster.job_manager_ends() == 1; }, 20'000));
}

}  // namespace
}  // namespace freshet::testing
