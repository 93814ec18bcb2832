// Applications whose main runs in a client: docs/maintainers/clusters.md has the table.
#include <gtest/gtest.h>

#include "scenario.h"

namespace freshet::testing {
using namespace core;
namespace {

using Client = SimulatedCluster::Client;
using End = MainScript::End;

constexpr std::int64_t kGraceMs = 10'000;

SimulatedClusterOptions with_grace() {
  SimulatedClusterOptions options;
  options.client_grace_ms = kGraceMs;
  return options;
}

// `here` has main, and the scenario's own client looks on.
class MainInClient : public ::testing::Test {
 protected:
  std::string begin() {
    scenario.wait(here.cluster().mains()->begin(id, "app.so", "ticket"));
    return id;
  }
  void end(int exit_code, const std::string& reason, bool canceled = false) {
    scenario.wait(here.cluster().mains()->end(id, exit_code, {false, canceled, reason}));
  }
  std::unique_ptr<JobClient> submit(int number, std::int64_t runs_ms) {
    JobBehaviour behaviour;
    behaviour.runs_ms = runs_ms;
    return scenario.wait(here.cluster().submit_job(Scenario::job(number, 1, behaviour), id));
  }
  ApplicationInfo now() { return scenario.wait(scenario.client.application(id)); }
  ApplicationInfo told() { return scenario.wait(scenario.client.application_end(id)); }

  const std::string id = Scenario::id(77);
  Scenario scenario{with_grace()};
  Client& here = scenario.cluster.add_client("here");
};

TEST_F(MainInClient, WithoutAJobLeavesARecord) {
  begin();
  EXPECT_EQ(now().status, ApplicationStatus::kRunning);
  EXPECT_FALSE(now().exit_code);
  end(0, "");
  const ApplicationInfo info = told();
  EXPECT_EQ(info.status, ApplicationStatus::kFinished);
  EXPECT_EQ(info.name, "app.so");
  EXPECT_EQ(info.exit_code, 0);
  EXPECT_TRUE(info.jobs.empty());
}

TEST_F(MainInClient, ThatFailsHasItsJobsCanceled) {
  begin();
  const auto job = submit(9, -1);
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRunning));
  end(71, "main threw: no such luck");
  const ApplicationInfo info = told();
  EXPECT_EQ(info.status, ApplicationStatus::kFailed);
  EXPECT_EQ(info.reason, "main threw: no such luck");
  EXPECT_EQ(info.exit_code, 71);
  ASSERT_EQ(info.jobs.size(), 1u);
  EXPECT_EQ(info.jobs[0].status, JobStatus::kCanceled);
  EXPECT_TRUE(scenario.clears());
}

TEST_F(MainInClient, ThatTellsACodeAloneHasExitedWithIt) {
  begin();
  end(3, "");
  EXPECT_EQ(told().status, ApplicationStatus::kFailed);
  EXPECT_EQ(told().reason, "main exited with 3");
}

TEST_F(MainInClient, ThatReturnsLeavesItsJobsRunning) {
  begin();
  const auto job = submit(9, 3'000);
  end(0, "");
  EXPECT_EQ(now().status, ApplicationStatus::kRunning);
  here.leave();
  const ApplicationInfo info = told();
  EXPECT_EQ(info.status, ApplicationStatus::kFinished);
  EXPECT_EQ(info.exit_code, 0);
  ASSERT_EQ(info.jobs.size(), 1u);
  EXPECT_EQ(info.jobs[0].status, JobStatus::kFinished);
}

TEST_F(MainInClient, ThatLeavesSinceItsJobWasCanceledIsCanceledByTheJobsName) {
  begin();
  const auto job = submit(9, -1);
  scenario.wait(scenario.client.job(job->job_id())->cancel());
  EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kCanceled);
  EXPECT_EQ(now().status, ApplicationStatus::kRunning);
  end(130, "main was canceled", true);
  EXPECT_EQ(told().status, ApplicationStatus::kCanceled);
  EXPECT_EQ(told().reason, "job 'job 9' was canceled");
}

TEST_F(MainInClient, ThatCancelsItsOwnJobGoesOnAndIsFinished) {
  begin();
  const auto job = submit(9, -1);
  scenario.wait(job->cancel());
  EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kCanceled);
  EXPECT_EQ(now().status, ApplicationStatus::kRunning);
  end(0, "", false);
  EXPECT_EQ(told().status, ApplicationStatus::kFinished);
}

TEST_F(MainInClient, ThatCancelsItsOwnJobAndLeavesWithThatIsCanceledByTheJobsName) {
  begin();
  const auto job = submit(9, -1);
  scenario.wait(job->cancel());
  EXPECT_EQ(scenario.wait(job->result()).status, JobStatus::kCanceled);
  end(130, "main was canceled", true);
  EXPECT_EQ(told().status, ApplicationStatus::kCanceled);
  EXPECT_EQ(told().reason, "job 'job 9' was canceled");
}

TEST_F(MainInClient, IsCanceledWithoutWaitingForIt) {
  begin();
  const auto job = submit(9, -1);
  scenario.wait(scenario.client.cancel_application(id));
  EXPECT_EQ(told().status, ApplicationStatus::kCanceled);
  end(130, "main was canceled", true);  // it changes nothing any more
  EXPECT_EQ(told().status, ApplicationStatus::kCanceled);
  EXPECT_EQ(told().reason, "canceled by client");
}

TEST_F(MainInClient, GoesOnWhenItsClientIsBackInTime) {
  begin();
  const auto first = submit(9, -1);
  ASSERT_TRUE(scenario.becomes(first->job_id(), JobStatus::kRunning));
  scenario.cluster.network().part("jm", "client here");
  ASSERT_TRUE(scenario.cluster.run_until(
      [&] {
        const auto& dispatcher = scenario.cluster.job_manager()->dispatcher();
        return !dispatcher.applications().front().reason.empty();
      },
      20'000))
      << "the link is lost";
  EXPECT_EQ(now().status, ApplicationStatus::kRunning);
  EXPECT_EQ(now().reason.rfind("here is away: ", 0), 0u) << now().reason;
  scenario.cluster.run_for(kGraceMs - 4'000);
  scenario.cluster.network().heal();
  const auto second = submit(10, 100);
  EXPECT_EQ(now().reason, "");
  scenario.cluster.run_for(2 * kGraceMs);
  EXPECT_EQ(now().status, ApplicationStatus::kRunning);
  scenario.wait(here.cluster().job(first->job_id())->cancel());
  end(0, "");
  EXPECT_EQ(told().jobs.size(), 2u);
}

TEST_F(MainInClient, ThatIsKilledFailsOnceTheGraceIsOver) {
  begin();
  ASSERT_TRUE(scenario.becomes(submit(9, -1)->job_id(), JobStatus::kRunning));
  scenario.cluster.end_client("here");
  scenario.cluster.run_for(kGraceMs - 1'000);
  EXPECT_EQ(now().status, ApplicationStatus::kRunning);
  const ApplicationInfo info = told();
  EXPECT_EQ(info.status, ApplicationStatus::kFailed);
  EXPECT_EQ(info.reason.rfind("its client is lost: here did not come back within 10 s "
                              "(jobmanager.client-grace): ",
                              0),
            0u)
      << info.reason;
  EXPECT_FALSE(info.exit_code);
  ASSERT_EQ(info.jobs.size(), 1u);
  EXPECT_EQ(info.jobs[0].status, JobStatus::kCanceled);
  EXPECT_TRUE(scenario.clears());
}

TEST_F(MainInClient, IsNotThatOfAnotherIncarnation) {
  begin();
  scenario.cluster.end_client("here");
  scenario.cluster.run_for(2'000);
  ClusterClient& again = scenario.cluster.add_client("here").cluster();
  const std::string refused = scenario.error(again.submit_job(Scenario::job(9, 1, {}), id));
  EXPECT_EQ(refused, "application.id '" + id +
                         "' is used by 'app.so' of here: give this one another application.id, or "
                         "none");
  EXPECT_EQ(told().status, ApplicationStatus::kFailed);
}

TEST_F(MainInClient, WhoseClientLeavesWithoutAWordFailsAtOnce) {
  begin();
  const auto job = submit(9, -1);
  here.leave();
  scenario.cluster.run_for(5'000);
  EXPECT_EQ(now().status, ApplicationStatus::kFailed);
  EXPECT_EQ(now().reason, "here has left and has not told how main ended");
  EXPECT_EQ(now().jobs[0].status, JobStatus::kCanceled);
}

TEST_F(MainInClient, HasItsIdAlone) {
  begin();
  RpcClusterClient& other = scenario.cluster.add_client("other").cluster();
  EXPECT_EQ(scenario.error(other.mains()->begin(id, "other.so", "another ticket")),
            "application.id '" + id +
                "' is used by 'app.so' of here, which is running: give 'other.so' another one, or "
                "none");
  EXPECT_EQ(scenario.error(other.mains()->end(id, 1, {})),
            "the main of application '" + id + "' is not in other, which tells its end");
  end(0, "");
  EXPECT_EQ(scenario.error(other.mains()->begin(id, "other.so", "another ticket")),
            "application.id '" + id +
                "' is used by 'app.so' of here, which is finished: give 'other.so' another one, "
                "or none");
  const std::string refused =
      scenario.error(other.submit_application(Scenario::application(MainScript{}, 77)));
  EXPECT_EQ(refused.rfind("application id '" + id + "' is known already: ", 0), 0u) << refused;
}

TEST_F(MainInClient, BeginsOnceHoweverOftenItIsAsked) {
  begin();
  begin();
  EXPECT_EQ(scenario.wait(scenario.client.applications()).size(), 1u);
  end(0, "");
  begin();
  end(1, "too late");
  EXPECT_EQ(told().status, ApplicationStatus::kFinished);
  EXPECT_EQ(scenario.wait(scenario.client.applications()).size(), 1u);
}

TEST_F(MainInClient, BeginsAnewWithItsNextJobWhenTheJobManagerHasRestarted) {
  begin();
  scenario.cluster.crash_job_manager();
  scenario.cluster.run_for(3'000);
  scenario.cluster.start_job_manager();
  const auto job = submit(9, 100);
  EXPECT_EQ(now().name, "app.so");
  here.leave();
  EXPECT_EQ(told().reason, "here has left and has not told how main ended");
}

// Who uses a client's calls alone, and tells nobody that there is a main.
TEST_F(MainInClient, ThatNobodyHasBegunReturnsWhenItsClientLeaves) {
  const auto job = submit(9, 3'000);
  EXPECT_EQ(now().name, "job 9");
  here.leave();
  EXPECT_EQ(told().status, ApplicationStatus::kFinished);
}

TEST_F(MainInClient, ThatNobodyHasBegunFailsWhenItsClientIsLost) {
  const auto job = submit(9, 100);
  scenario.wait(job->result());
  EXPECT_EQ(now().status, ApplicationStatus::kRunning) << "its main may submit more";
  scenario.cluster.end_client("here");
  EXPECT_EQ(told().status, ApplicationStatus::kFailed);
  EXPECT_EQ(told().reason.rfind("its client is lost: here ", 0), 0u) << told().reason;
}

TEST(MainsInClients, DoNotBeginOnAClusterOfOneApplication) {
  SimulatedClusterOptions options;
  options.one_application = true;
  Scenario other(options);
  Client& client = other.cluster.add_client("here");
  EXPECT_EQ(other.error(client.cluster().mains()->begin(Scenario::id(77), "app.so", "ticket")),
            "this cluster is one application alone: run 'app.so' on a session");
}

TEST(MainsInClients, RunAsScriptsOfTheSimulation) {
  for (const auto& [how, status, code] :
       {std::tuple(End::kReturns, ApplicationStatus::kFinished, std::optional<int>(0)),
        std::tuple(End::kThrows, ApplicationStatus::kFailed, std::optional<int>(71)),
        std::tuple(End::kExits, ApplicationStatus::kFailed, std::optional<int>(3)),
        std::tuple(End::kCrashes, ApplicationStatus::kFailed, std::optional<int>())}) {
    Scenario each(with_grace());
    MainScript script;
    script.jobs = 2;
    script.end = how;
    script.behaviour.runs_ms = 100;
    const std::string id = Scenario::id(77);
    const auto main = each.cluster.add_client("here").run_main(id, "app.so", script);
    each.wait(main->begun);
    const ApplicationInfo info = each.wait(each.client.application_end(id));
    EXPECT_EQ(info.status, status) << info.reason;
    EXPECT_EQ(info.exit_code, code);
    EXPECT_EQ(info.jobs.size(), 2u);
  }
}

}  // namespace
}  // namespace freshet::testing
