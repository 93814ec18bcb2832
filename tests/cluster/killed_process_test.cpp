// kill -9 of each process of a cluster while a job runs: what the others say and do.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <vector>

#include "own_cluster.h"
#include "scale.h"

namespace {

using namespace freshet::testing;

class KilledProcess : public ClusterTest {
 protected:
  void wait_until_it_runs() {
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  }
  const std::string running_ = scratch_ / "running";
};

TEST_F(KilledProcess, RunnerFailsItsApplicationWithTheSignal) {
  ChildProcess client(line({"--target=standalone", "endless", running_}), surroundings());
  wait_until_it_runs();
  ::kill(process("runner"), SIGKILL);
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 128 + SIGKILL) << outcome.text();
  EXPECT_TRUE(says(outcome, "main was killed by signal 9")) << outcome.text();
}

TEST_F(KilledProcess, WorkerFailsItsJob) {
  ChildProcess client(line({"--target=standalone", "endless", running_}), surroundings());
  wait_until_it_runs();
  ::kill(process("worker"), SIGKILL);
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "signal 9")) << outcome.text();
}

// One of two workers, whose other one loses the connection to it: the reason is the signal.
TEST_F(KilledProcess, OneOfTwoWorkersFailsTheirJobWithTheSignal) {
  ASSERT_EQ(fr({"cluster", "start", "--cluster-id=s", "--task-managers=2", "--slots=1"}).code, 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(scaled(24, 4)); ++i) {
    ChildProcess client(
        line({"--target=standalone-session", "--parallelism", "2", "exchange", "100000000"}),
        surroundings());
    ASSERT_TRUE(eventually([&] {
      const auto list = fr_json({"list"});
      return list.size() > i && !list[i]["jobs"].empty() &&
             list[i]["jobs"][0]["status"] == "running";
    }));
    const auto workers = processes("worker");
    ASSERT_EQ(workers.size(), 2u) << list_of_processes();
    ::kill(workers[i % 2], SIGKILL);
    const Outcome outcome = client.wait(60);
    EXPECT_EQ(outcome.code, 70) << outcome.text();
    EXPECT_TRUE(says(outcome, "killed by signal 9")) << outcome.text();
    EXPECT_FALSE(says(outcome, "is lost")) << outcome.text();
    EXPECT_FALSE(says(outcome, "operator '")) << "an innocent one: " << outcome.text();
  }
  stop_session("s");
}

TEST_F(KilledProcess, OneOfTwoWorkersTellsItsLastLines) {
  ASSERT_EQ(fr({"cluster", "start", "--cluster-id=s", "--task-managers=2", "--slots=1"}).code, 0);
  for (int i = 0; i < scaled(8, 2); ++i) {
    const Outcome aborted =
        in_session({"--parallelism", "2", "exchange-until-one-dies", scratch_ / "begun", "abort"});
    EXPECT_EQ(aborted.code, 70) << aborted.text();
    EXPECT_TRUE(says(aborted, "killed by signal 6")) << aborted.text();
    EXPECT_TRUE(says(aborted, "it has had enough")) << aborted.text();
    const Outcome overflown = in_session(
        {"--parallelism", "2", "exchange-until-one-dies", scratch_ / "begun", "overflow"});
    EXPECT_EQ(overflown.code, 70) << overflown.text();
    EXPECT_TRUE(says(overflown, "task.stack-size")) << overflown.text();
  }
  stop_session("s");
}

TEST_F(KilledProcess, WorkerOfAJobThatRestartsIsReplaced) {
  ChildProcess client(line({"--target=standalone", "-D", "restart-strategy.type=fixed-delay", "-D",
                            "restart-strategy.fixed-delay.delay=0ms", "endless", running_}),
                      surroundings());
  wait_until_it_runs();
  const pid_t first = process("worker");
  std::filesystem::remove(running_);
  ::kill(first, SIGKILL);
  wait_until_it_runs();
  EXPECT_NE(process("worker"), first);
  client.send(SIGINT);
  EXPECT_EQ(client.wait(30).code, 130);
}

TEST_F(KilledProcess, WorkerLeavesNothingInTheOutputOfTheNextAttempt) {
  const std::string go = scratch_ / "go", output = scratch_ / "output";
  ChildProcess client(line({"--target=standalone", "-D", "restart-strategy.type=fixed-delay", "-D",
                            "restart-strategy.fixed-delay.delay=0ms", "write", output, go}),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(go + ".running"); }));
  EXPECT_FALSE(names_in(output).empty());
  ::kill(process("worker"), SIGKILL);
  std::ofstream(go) << "on";
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  for (const std::string& name : names_in(output)) EXPECT_EQ(name.rfind("part-", 0), 0u) << name;
  EXPECT_FALSE(names_in(output).empty());
}

TEST_F(KilledProcess, TaskManagerFailsItsJobs) {
  ChildProcess client(line({"--target=standalone", "endless", running_}), surroundings());
  wait_until_it_runs();
  ::kill(process("taskmanager"), SIGKILL);
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 70) << outcome.text();
}

// What waits goes on to wait: no slot of a task manager that ends is granted again.
TEST_F(KilledProcess, TaskManagerThatIsEndedFailsWhatRunsThereAndNothingThatWaits) {
  ASSERT_EQ(fr({"cluster", "start", "--cluster-id=s", "--slots=1"}).code, 0);
  ChildProcess running(line({"--target=standalone-session", "endless", running_}), surroundings());
  wait_until_it_runs();
  std::vector<std::unique_ptr<ChildProcess>> waiting;
  for (int i = 0; i < 3; ++i) {
    waiting.push_back(std::make_unique<ChildProcess>(
        line({"--target=standalone-session", "jobs", "1"}), surroundings()));
  }
  ASSERT_TRUE(eventually([&] {
    const auto list = fr_json({"list"});
    std::size_t created = 0;
    for (const auto& each : list)
      for (const auto& job : each["jobs"]) created += job["status"] == "created";
    return created == 3;
  }));
  ::kill(process("taskmanager"), SIGTERM);
  const Outcome ended = running.wait(60);
  EXPECT_EQ(ended.code, 70) << ended.text();
  EXPECT_TRUE(says(ended, "is lost with task manager 'taskmanager-1'")) << ended.text();
  EXPECT_TRUE(says(ended, ": it ends: ")) << ended.text();
  EXPECT_FALSE(says(ended, "signal 9")) << ended.text();
  ChildProcess other({path_from("FRESHET_TEST_FR"), "taskmanager", "--cluster-id=s", "--name=two"},
                     surroundings());
  for (const auto& each : waiting) {
    const Outcome outcome = each->wait(60);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
  }
  stop_session("s");
  EXPECT_EQ(other.wait(30).code, 0);
}

// Its folder of modules is no folder: as with a full disk, it can start no worker.
TEST_F(KilledProcess, TaskManagerThatCanStartNoWorkerFailsNoJob) {
  ASSERT_EQ(fr({"cluster", "start", "--cluster-id=s", "--task-managers=2", "--slots=1"}).code, 0);
  const std::string modules = folder() + "/run/s/taskmanager-1/apps";
  std::filesystem::remove_all(modules);
  std::ofstream(modules) << "not a folder";
  // It can run on the other one alone; so the next job is given to this one, whatever the order.
  ChildProcess running(line({"--target=standalone-session", "endless", running_}), surroundings());
  wait_until_it_runs();
  const auto rests = [&] {
    const std::string log = fr({"logs", "--cluster-id=s"}).output;
    std::size_t count = 0;
    for (std::size_t at = 0; (at = log.find("it is given none for", at)) != std::string::npos; ++at)
      ++count;
    return count;
  };
  const std::size_t before = rests();
  ChildProcess waiting(line({"--target=standalone-session", "jobs", "1"}), surroundings());
  EXPECT_TRUE(eventually([&] { return rests() > before; }));
  const auto list = fr_json({"list"});
  ASSERT_EQ(list.size(), 2u);
  for (const auto& job : list[0]["jobs"]) fr({"cancel", job["id"].get<std::string>()});
  EXPECT_EQ(running.wait(60).code, 130);
  const Outcome outcome = waiting.wait(60);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  stop_session("s");
}

TEST_F(KilledProcess, JobManagerEndsTheClusterOfItsApplication) {
  ChildProcess client(line({"--target=standalone", "-D", "client.timeout=2s", "endless", running_}),
                      surroundings());
  wait_until_it_runs();
  ::kill(process("jobmanager"), SIGKILL);
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 69) << outcome.text();
  EXPECT_TRUE(eventually([&] { return processes().empty(); })) << list_of_processes();
}

TEST_F(KilledProcess, JobManagerTakesWhatMainForkedWithItWhereControlGroupsAreToBeHad) {
  ChildProcess client(
      line({"--target=standalone", "-D", "client.timeout=2s", "fork-and-hang", running_}),
      surroundings());
  wait_until_it_runs();
  int one = 0, two = 0;
  ASSERT_EQ(std::sscanf(text_of_file(running_).c_str(), "%d %d", &one, &two), 2);
  const std::string group = content("/proc/" + std::to_string(one) + "/cgroup");
  ::kill(process("jobmanager"), SIGKILL);
  EXPECT_EQ(client.wait(30).code, 69);
  if (group.find("/freshet-") == std::string::npos) {
    for (const pid_t forked : {one, two}) ::kill(forked, SIGKILL);
    GTEST_SKIP() << "no control groups: " << group;
  }
  EXPECT_TRUE(eventually([&] { return processes().empty(); })) << list_of_processes();
}

TEST_F(KilledProcess, JobManagerOfASessionIsStartedAgainAndItsTaskManagersComeBack) {
  start_session("s");
  EXPECT_EQ(run(line({"--target=standalone-session", "jobs", "1"}), surroundings()).code, 0);
  const std::string before = fr_json({"list"})[0]["id"];
  ::kill(process("jobmanager"), SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes("jobmanager").empty(); }));
  const Outcome alone = fr({"list", "--wait-for-cluster=200ms"});
  EXPECT_EQ(alone.code, 69) << alone.text();
  ChildProcess again({path_from("FRESHET_TEST_FR"), "jobmanager", "--cluster-id=s"},
                     surroundings());
  EXPECT_EQ(run(line({"--target=standalone-session", "--wait-for-cluster=30s", "jobs", "1"}),
                surroundings())
                .code,
            0);
  EXPECT_EQ(fr_json({"list"}).size(), 1u) << "it keeps no records of what was before";
  EXPECT_EQ(fr({"status", before}).code, 65);
  stop_session("s");
  EXPECT_EQ(again.wait(30).code, 0);
}

TEST_F(KilledProcess, JobManagerOfASessionIsMissedByAMainInTheClientWithTheCodeForThat) {
  start_session("s");
  ChildProcess client(line({"--target=standalone-session", "-D", "execution.main=client", "-D",
                            "client.timeout=1s", "endless", running_}),
                      surroundings());
  wait_until_it_runs();
  ::kill(process("jobmanager"), SIGKILL);
  const Outcome outcome = client.wait(60);
  EXPECT_EQ(outcome.code, 69) << outcome.text();
  EXPECT_TRUE(says(outcome, "no job manager of cluster 's' answered")) << outcome.text();
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
}

TEST_F(KilledProcess, AllAtOnceLeaveWhatTheNextCommandRemoves) {
  start_session("s");
  ChildProcess client(
      line({"--target=standalone-session", "-D", "client.timeout=1s", "endless", running_}),
      surroundings());
  wait_until_it_runs();
  client.send(SIGKILL);
  const pid_t manager = process("jobmanager"), workers = process("taskmanager");
  ::kill(manager, SIGKILL);
  ::kill(workers, SIGKILL);
  EXPECT_TRUE(eventually([&] { return processes().empty(); })) << list_of_processes();
  EXPECT_FALSE(names_in(folder() + "/run").empty());
  const Outcome outcome = fr({"cluster", "list"});
  EXPECT_EQ(outcome.output, "") << outcome.text();
  EXPECT_TRUE(names_in(folder() + "/run").empty());
}

TEST_F(KilledProcess, ClientLeavesItsApplicationRunning) {
  ChildProcess client(line({"--target=standalone", "--cluster-id=c", "endless", running_}),
                      surroundings());
  wait_until_it_runs();
  client.send(SIGKILL);
  static_cast<void>(client.wait(30));
  const auto applications = fr_json({"list"});
  ASSERT_EQ(applications.size(), 1u);
  EXPECT_EQ(applications[0]["status"], "running");
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
}

}  // namespace
