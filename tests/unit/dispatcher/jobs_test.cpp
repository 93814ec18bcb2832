// The life of a job on a cluster, case by case.
#include <gtest/gtest.h>

#include "captured_log.h"
#include "scale.h"
#include "scenario.h"

namespace freshet::testing {
using namespace core;
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

// One that has a key of the cluster and sends what is not for it to send.
class Stranger : public LinkListener {
 public:
  Stranger(Scenario& scenario, Role role)
      : scenario_(scenario),
        links_(scenario.cluster.add_stranger("stranger", role)),
        link_(&links_.connect(scenario.cluster.job_manager_address(), table_, *this, 1'000)) {}
  void link_opened(Link&) override {}
  void link_lost(Link&, const std::string& reason) override {
    link_ = nullptr;
    lost = reason;
  }
  template <class M>
  std::string ask(const M& message) {
    return scenario_.error(link_->ask(message));
  }
  template <class M>
  void send(const M& message) {
    link_->send(message);
    scenario_.wait(link_->ask(GetClusterStatus{}));
  }

  std::string lost;

 private:
  Scenario& scenario_;
  MessageTable table_;
  Links& links_;
  Link* link_;
};

// ---- records ------------------------------------------------------------------------------------

TEST(Records, AreKeptOfTheLastThatHaveEnded) {
  SimulatedClusterOptions options;
  options.records.applications = 3;
  Scenario scenario(options);
  const std::string runs =
      scenario.wait(scenario.client.submit_job(Scenario::job(1, 1, endless()), ""))->job_id();
  for (int i = 2; i <= 8; ++i) {
    const auto job =
        scenario.wait(scenario.client.submit_job(Scenario::job(i, 1, JobBehaviour{}), ""));
    EXPECT_TRUE(scenario.wait(job->result()).succeeded());
  }
  scenario.cluster.run_for(5'000);
  std::vector<std::string> ids;
  for (const JobInfo& info : scenario.wait(scenario.client.jobs())) ids.push_back(info.job_id);
  EXPECT_EQ(ids,
            (std::vector<std::string>{runs, Scenario::id(6), Scenario::id(7), Scenario::id(8)}));
  EXPECT_EQ(scenario.wait(scenario.client.applications()).size(), 4u);
  const auto job = scenario.client.job(Scenario::id(2));
  EXPECT_EQ(scenario.error(job->result()),
            "there is no record any more of job '" + Scenario::id(2) +
                "' ('job 2'), which has ended: the last 1000 are kept (jobmanager.records."
                "max-jobs), for 7 d at most (jobmanager.records.max-age)");
  EXPECT_EQ(
      scenario.error(scenario.client.submit_job(Scenario::job(2, 1, {}), ""))
          .rfind("job id '" + Scenario::id(2) + "' is known already: 'job 2' of application", 0),
      0u)
      << "an id stays used";
}

TEST(Records, OfAnApplicationThatRunsAreKeptOfItsLastJobs) {
  SimulatedClusterOptions options;
  options.records.jobs = 2;
  Scenario scenario(options);
  MainScript waits;
  waits.jobs = 0;
  waits.end = MainScript::End::kNever;
  const std::string id =
      scenario.wait(scenario.client.submit_application(Scenario::application(waits)));
  JobBehaviour fails;
  fails.fails_one_in = 1;
  fails.runs_ms = -1;
  for (int i = 2; i <= 6; ++i) {
    const auto job = scenario.wait(
        scenario.client.submit_job(Scenario::job(i, 1, i == 2 ? fails : JobBehaviour{}), id));
    EXPECT_EQ(scenario.wait(job->result()).succeeded(), i != 2);
  }
  scenario.cluster.run_for(5'000);
  EXPECT_EQ(scenario.wait(scenario.client.application(id)).jobs.size(), 2u);
  scenario.wait(scenario.client.cancel_application(id));
  EXPECT_EQ(scenario.wait(scenario.client.application_end(id)).status,
            ApplicationStatus::kCanceled);
}

TEST(Records, AreKeptForATimeAndTheEndOfAnApplicationKnowsOfJobsWhoseRecordsAreGone) {
  SimulatedClusterOptions options;
  options.records.age_ms = 4'000;
  Scenario scenario(options);
  MainScript jobs;
  jobs.jobs = 1;
  jobs.at_once = true;
  jobs.behaviour.fails_one_in = 1;
  jobs.behaviour.runs_ms = -1;
  const std::string id =
      scenario.wait(scenario.client.submit_application(Scenario::application(jobs)));
  const auto long_one = scenario.wait(scenario.client.submit_job(Scenario::job(9, 1,
                                                                               [] {
                                                                                 JobBehaviour runs;
                                                                                 runs.runs_ms =
                                                                                     20'000;
                                                                                 return runs;
                                                                               }()),
                                                                 id));
  const ApplicationInfo told = scenario.wait(scenario.client.application_end(id));
  EXPECT_EQ(told.status, ApplicationStatus::kFailed) << "its first job has failed";
  EXPECT_NE(told.reason.find("a record that it does not like"), std::string::npos) << told.reason;
  EXPECT_EQ(told.jobs.size(), 1u) << "the record of that job is gone";
  scenario.cluster.run_for(10'000);
  EXPECT_TRUE(scenario.wait(scenario.client.applications()).empty());
  EXPECT_EQ(scenario.error(scenario.client.application(id))
                .rfind("there is no record any more of application '" + id + "'", 0),
            0u);
}

TEST(Files, ThatNothingNeedsAreRemovedAndPutAnewByTheNext) {
  SimulatedClusterOptions options;
  options.blob_max_idle_ms = 10'000;
  Scenario scenario(options);
  const auto runs = scenario.wait(scenario.client.submit_job(Scenario::job(1, 1, endless()), ""));
  ASSERT_TRUE(scenario.becomes(runs->job_id(), JobStatus::kRunning));
  scenario.cluster.run_for(60'000);
  GetBlob get;
  get.sha256 = SimulatedCluster::module_sha256();
  Stranger other(scenario, Role::kClient);
  EXPECT_EQ(other.ask(get), "") << "a job that runs needs it";
  scenario.wait(runs->cancel());
  scenario.wait(runs->result());
  scenario.cluster.run_for(60'000);
  EXPECT_NE(other.ask(get), "");
  const auto next = scenario.wait(scenario.client.submit_job(Scenario::job(2, 4, {}), ""));
  EXPECT_TRUE(scenario.wait(next->result()).succeeded());
}

// ---- strangers ----------------------------------------------------------------------------------

TEST(Strangers, ThatAreWorkersMayNotSendWhatClientsMay) {
  Scenario scenario;
  scenario.wait(scenario.client.status());
  MainScript script;
  script.jobs = 0;
  script.end = MainScript::End::kNever;
  const std::string id =
      scenario.wait(scenario.client.submit_application(Scenario::application(script)));
  CapturedLog log;
  Stranger worker(scenario, Role::kWorker);
  CancelApplication cancel;
  cancel.id = id;
  const std::string refused = "'cancel-application' is no message that a worker may send";
  EXPECT_EQ(worker.ask(cancel), refused);
  EXPECT_EQ(worker.ask(ShutDown{}), "'shut-down' is no message that a worker may send");
  EXPECT_NE(log.text().find(refused), std::string::npos);
  EXPECT_EQ(scenario.wait(scenario.client.application(id)).status, ApplicationStatus::kRunning);
}

TEST(Strangers, ThatAreClientsMayNotSpeakForTaskManagers) {
  Scenario scenario;
  const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 1, endless()), ""));
  ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRunning));
  CapturedLog log;
  Stranger client(scenario, Role::kClient);
  WorkerEnded ended;
  ended.worker = {job->job_id(), 0, 0};
  client.send(ended);
  EXPECT_NE(log.text().find("'worker-ended' is no message that a client may send"),
            std::string::npos)
      << log.text();
  EXPECT_EQ(scenario.wait(job->status()), JobStatus::kRunning);
}

TEST(Strangers, AreRefusedIfTheyCallThemselvesWhatTheirKeyIsNotFor) {
  Scenario scenario;
  scenario.wait(scenario.client.status());
  Stranger worker(scenario, Role::kTaskManager);
  scenario.cluster.run_until([&] { return !worker.lost.empty(); }, 10'000);
  EXPECT_EQ(worker.lost, "its key was not given to a task manager, as it calls itself");
}

// ---- clients ------------------------------------------------------------------------------------

TEST(ClusterClients, HearNothingOfWhatRanBeforeAJobManagerThatKeptNoRecords) {
  Scenario scenario;
  const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 1, endless()), ""));
  const auto end = job->result();
  scenario.cluster.crash_job_manager();
  scenario.cluster.run_for(300);
  scenario.cluster.start_job_manager();
  const std::string not_known = "job '" + Scenario::id(1) +
                                "' is not known here: this cluster keeps no records of what ran "
                                "before its job manager was started";
  EXPECT_EQ(scenario.error(end),
            not_known + ", which was after it was submitted: its result is unknown");
  EXPECT_THROW(static_cast<void>(end.get()), RecordsLost);
  // Who comes now has heard of no other job manager.
  auto& newcomer = scenario.cluster.add_client("newcomer").cluster();
  const auto asked = newcomer.job(Scenario::id(1))->result();
  EXPECT_EQ(scenario.error(asked), not_known);
  EXPECT_THROW(static_cast<void>(asked.get()), InvalidInput);
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

// The others notice it as soon as its task manager, and mostly tell it sooner.
TEST(Jobs, NameTheEndOfAWorkersProcessAndNotThatOthersHaveLostIt) {
  for (int seed = 1; seed <= scaled(200, 20); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    SimulatedClusterOptions options;
    options.seed = static_cast<std::uint64_t>(seed);
    options.task_managers = 3;
    options.slots = 1;
    Scenario scenario(options);
    const auto job = scenario.wait(scenario.client.submit_job(Scenario::job(1, 3, endless()), ""));
    ASSERT_TRUE(scenario.becomes(job->job_id(), JobStatus::kRunning));
    scenario.cluster.crash_a_worker();
    const JobResult result = scenario.wait(job->result());
    ASSERT_EQ(result.status, JobStatus::kFailed);
    EXPECT_NE(result.failure->message.find("killed by signal 11"), std::string::npos)
        << result.failure->message;
  }
}

}  // namespace
}  // namespace freshet::testing
