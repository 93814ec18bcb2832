// How applications end, and with them clusters that hold one alone, in the less usual cases.
#include <gtest/gtest.h>

#include "scenario.h"

namespace freshet::testing {
using namespace core;
namespace {

using End = MainScript::End;

constexpr std::int64_t kForEver = -1;

MainScript script(std::uint32_t jobs, End end, std::int64_t runs_ms, std::uint64_t fails_one_in) {
  MainScript script;
  script.jobs = jobs;
  script.at_once = true;
  script.end = end;
  script.behaviour.runs_ms = runs_ms;
  script.behaviour.fails_one_in = fails_one_in;
  return script;
}

SimulatedClusterOptions one_application() {
  SimulatedClusterOptions options;
  options.one_application = true;
  options.linger_ms = 2'000;
  return options;
}

bool only_clients_are_left(Scenario& scenario) {
  SimulatedCluster& cluster = scenario.cluster;
  return cluster.run_until([&] { return cluster.processes() == cluster.processes("client"); },
                           30'000);
}

TEST(ApplicationEnds, OfAJobThatWasCanceledAloneNameItAndTheOthersRunToTheirEnd) {
  Scenario scenario;
  const std::string id = scenario.wait(scenario.client.submit_application(
      Scenario::application(script(2, End::kReturns, 5'000, 0))));
  ASSERT_TRUE(scenario.cluster.run_until(
      [&] { return scenario.cluster.job_manager()->dispatcher().jobs().size() == 2; }, 10'000));
  const JobInfo canceled = scenario.wait(scenario.client.application(id)).jobs[0];
  scenario.wait(scenario.client.job(canceled.job_id)->cancel());
  const ApplicationInfo told = scenario.wait(scenario.client.application_end(id));
  EXPECT_EQ(told.status, ApplicationStatus::kCanceled);
  EXPECT_EQ(told.reason, "job '" + canceled.job_name + "' was canceled");
  EXPECT_EQ(told.exit_code, 0);
  ASSERT_EQ(told.jobs.size(), 2u);
  EXPECT_EQ(told.jobs[0].status, JobStatus::kCanceled);
  EXPECT_EQ(told.jobs[1].status, JobStatus::kFinished);
}

TEST(ApplicationEnds, OfAMainThatFailsLeaveJobsThatHadFinishedAsTheyWere) {
  Scenario scenario;
  MainScript one_by_one = script(2, End::kExits, 100, 0);
  one_by_one.at_once = false;
  const ApplicationInfo told = scenario.run(one_by_one);
  EXPECT_EQ(told.status, ApplicationStatus::kFailed);
  EXPECT_EQ(told.reason, "main exited with 3");
  ASSERT_EQ(told.jobs.size(), 2u);
  for (const JobInfo& job : told.jobs) EXPECT_EQ(job.status, JobStatus::kFinished);
}

TEST(ApplicationEnds, AfterAJobManagerIsGoneAreNotHeardOfAndNothingRunsOn) {
  for (const bool silently : {false, true}) {
    Scenario scenario(one_application());
    const std::string id = scenario.wait(scenario.client.submit_application(
        Scenario::application(script(1, End::kNever, kForEver, 0))));
    ASSERT_TRUE(scenario.cluster.run_until(
        [&] { return scenario.cluster.processes("worker") == 1; }, 10'000));
    const auto end = scenario.client.application_end(id);
    scenario.cluster.crash_job_manager(silently);
    EXPECT_TRUE(scenario.clears()) << "main and the worker have lost it";
    const std::string error = scenario.error(end);
    EXPECT_EQ(error.rfind("no job manager of cluster 'simulated' answered within", 0), 0u) << error;
  }
}

struct How {
  const char* name;
  MainScript main;
  ApplicationStatus status;
};
class ApplicationClustersEndOnce : public ::testing::TestWithParam<How> {};

TEST_P(ApplicationClustersEndOnce, AndTellTheClientFirst) {
  Scenario scenario(one_application());
  const std::string id =
      scenario.wait(scenario.client.submit_application(Scenario::application(GetParam().main)));
  const auto end = scenario.client.application_end(id);
  if (GetParam().status == ApplicationStatus::kCanceled) {
    scenario.cluster.run_for(2'000);
    scenario.wait(scenario.client.cancel_application(id));
  }
  const ApplicationInfo told = scenario.wait(end);
  EXPECT_EQ(told.status, GetParam().status) << told.reason;
  EXPECT_TRUE(only_clients_are_left(scenario));
  EXPECT_EQ(scenario.cluster.job_manager_ends(), 1u);
}

INSTANTIATE_TEST_SUITE_P(
    ApplicationEnds, ApplicationClustersEndOnce,
    ::testing::Values(
        How{"MainThrowsBeforeAJob", script(0, End::kThrows, 0, 0), ApplicationStatus::kFailed},
        How{"MainThrowsAfterAJob", script(1, End::kThrows, kForEver, 0),
            ApplicationStatus::kFailed},
        How{"MainCrashes", script(1, End::kCrashes, kForEver, 0), ApplicationStatus::kFailed},
        How{"AJobFails", script(2, End::kReturns, 100, 1), ApplicationStatus::kFailed},
        How{"Canceled", script(1, End::kReturns, kForEver, 0), ApplicationStatus::kCanceled},
        How{"CanceledWhileMainRuns", script(1, End::kNever, kForEver, 0),
            ApplicationStatus::kCanceled}),
    [](const auto& how) { return how.param.name; });

TEST(ApplicationClusters, AnswerASecondSubmissionWithTheSameIdByName) {
  Scenario scenario(one_application());
  ClusterClient& other = scenario.cluster.add_client("other").cluster();
  const ApplicationSpec spec = Scenario::application(script(0, End::kNever, 0, 0));
  scenario.wait(scenario.client.submit_application(spec));
  const std::string refused = scenario.error(other.submit_application(spec));
  EXPECT_EQ(refused.rfind("application id '" + spec.id + "' is known already: ", 0), 0u) << refused;
  EXPECT_EQ(scenario.wait(other.applications()).size(), 1u);
}

}  // namespace
}  // namespace freshet::testing
