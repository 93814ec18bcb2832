// More and fewer task managers of a cluster that runs: by 'fr cluster resize', and on demand.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class ResizedSession : public ClusterTest {
 protected:
  using Names = std::vector<std::string>;

  void start(const Words& more) const {
    Words words{"cluster", "start", "--cluster-id=s"};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = fr(words);
    ASSERT_EQ(outcome.code, 0) << outcome.text();
  }
  Names resize(int count) const {
    return fr_json({"cluster", "resize", std::to_string(count)})["task_managers"];
  }
  nlohmann::json task_managers() const { return fr_json({"cluster", "status"})["task_managers"]; }
  Names names() const {
    Names names;
    for (const auto& each : task_managers()) names.push_back(each["id"]);
    return names;
  }
  std::vector<pid_t> task_manager_processes() const {
    return processes(std::string("/fr") + '\0' + "taskmanager");
  }
  // The name of the only one that has workers.
  std::string busy() const {
    std::string name;
    for (const auto& each : task_managers())
      if (!each["workers"].empty()) name = each["id"];
    return name;
  }
  pid_t process_of(const std::string& name) const {
    for (const auto& each : task_managers())
      if (each["id"] == name) return each["process"];
    return 0;
  }
  ChildProcess endless(const Words& options = {}) const {
    Words words{"--target=standalone-session"};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {"endless", running_});
    return ChildProcess(line(words), surroundings());
  }
  bool runs() const {
    return eventually([&] { return std::filesystem::exists(running_); });
  }
  const std::string running_ = scratch_ / "running";
};

TEST_F(ResizedSession, HasAsManyTaskManagersAsItIsToldEachUnderANameOfItsOwn) {
  start({"--slots=1", "-D", "taskmanager.memory.network=64m"});
  EXPECT_EQ(resize(3), (Names{"taskmanager-1", "taskmanager-2", "taskmanager-3"}));
  EXPECT_EQ(names(), (Names{"taskmanager-1", "taskmanager-2", "taskmanager-3"}));
  for (const auto& each : task_managers()) EXPECT_EQ(each["slots"], 1) << "as it was deployed";
  EXPECT_EQ(in_session({"--parallelism=3", "jobs", "1"}).code, 0);
  EXPECT_EQ(resize(3).size(), 3u) << "nothing to do";

  EXPECT_EQ(resize(1), (Names{"taskmanager-1"})) << "the youngest go";
  EXPECT_EQ(names(), (Names{"taskmanager-1"}));
  EXPECT_EQ(task_manager_processes().size(), 1u) << list_of_processes();
  EXPECT_EQ(resize(0), Names{});
  EXPECT_EQ(resize(2), (Names{"taskmanager-4", "taskmanager-5"}));
  EXPECT_EQ(in_session({"--parallelism=2", "jobs", "1"}).code, 0);

  ::kill(process_of("taskmanager-5"), SIGKILL);
  ASSERT_TRUE(eventually([&] { return names() == Names{"taskmanager-4"}; }));
  EXPECT_EQ(resize(2), (Names{"taskmanager-4", "taskmanager-6"})) << "the dead do not count";
  const Outcome told = fr({"cluster", "resize", "1"});
  EXPECT_EQ(told.output, "cluster 's' has 1 task manager: taskmanager-4\n") << told.text();
  stop_session("s");
}

TEST_F(ResizedSession, KeepsWhatHoldsWorkersAndSaysSo) {
  start({"--slots=1", "--task-managers=3"});
  ChildProcess client = endless();
  ASSERT_TRUE(runs());
  const std::string name = busy();
  const Outcome refused = fr({"cluster", "resize", "0"});
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_TRUE(says(refused, "has 1 task managers still, not 0: '" + name + "' hold workers"))
      << refused.text();
  EXPECT_EQ(names(), (Names{name})) << "what could go has gone";
  EXPECT_EQ(fr_json({"list"})[0]["status"], "running");
  EXPECT_EQ(fr({"cancel", fr_json({"list"})[0]["id"]}).code, 0);
  EXPECT_EQ(client.wait(30).code, 130);
  EXPECT_EQ(resize(0), Names{});
  stop_session("s");
}

TEST_F(ResizedSession, IsOneOfBothSizesWhenTwoPeopleResizeIt) {
  start({"--slots=1"});
  const auto resizing = [&](const char* count) {
    return ChildProcess({path_from("FRESHET_TEST_FR"), "cluster", "resize", count}, surroundings());
  };
  ChildProcess one = resizing("3"), other = resizing("2");
  one.wait(60);
  other.wait(60);
  const auto left = names();
  EXPECT_TRUE(left.size() == 3 || left.size() == 2) << left.size();
  EXPECT_EQ(task_manager_processes().size(), left.size()) << list_of_processes();
  stop_session("s");
}

TEST_F(ResizedSession, MayBeBroughtUpByHand) {
  ChildProcess manager({path_from("FRESHET_TEST_FR"), "jobmanager", "--cluster-id=hand", "-D",
                        "taskmanager.slots=3"},
                       surroundings());
  Outcome resized;
  ASSERT_TRUE(eventually([&] {
    resized = fr({"cluster", "resize", "2", "--cluster-id=hand", "--wait-for-cluster=10s"});
    return resized.code == 0;
  })) << resized.text();
  for (const auto& each : task_managers()) EXPECT_EQ(each["slots"], 3);
  stop_session("hand");
  EXPECT_EQ(manager.wait(30).code, 0);
}

TEST_F(ResizedSession, NeedsAClusterAndASize) {
  EXPECT_EQ(fr({"cluster", "resize", "2"}).code, 65);
  EXPECT_EQ(fr({"cluster", "resize"}).code, 64);
  EXPECT_EQ(fr({"cluster", "resize", "-1"}).code, 64);
  EXPECT_EQ(fr({"cluster", "resize", "many"}).code, 64);
  start({});
  ::kill(process("jobmanager"), SIGKILL);
  const Outcome unreachable = fr({"cluster", "resize", "2", "-D", "client.timeout=300ms"});
  EXPECT_EQ(unreachable.code, 69) << unreachable.text();
  EXPECT_EQ(fr({"cluster", "stop", "-D", "client.timeout=300ms"}).code, 0);
}

// ---- on demand ----------------------------------------------------------------------------------

class OnDemand : public ResizedSession {
 protected:
  void start(const Words& more = {}) const {
    Words words{"--slots=1", "-D", "resource-manager.max-task-managers=3", "-D",
                "resource-manager.idle-timeout=300ms"};
    words.insert(words.end(), more.begin(), more.end());
    ResizedSession::start(words);
  }
  bool shrinks() const {
    return eventually([&] { return names() == Names{"taskmanager-1"}; });
  }
};

TEST_F(OnDemand, RunsAJobThatNeedsMoreThanWasDeployedAndShrinksAgain) {
  start();
  const Words job{"--parallelism=3", "exchange", "100"};
  Words local{"--target=local"};
  local.insert(local.end(), job.begin(), job.end());
  for (int round = 0; round < 2; ++round) {
    const Outcome outcome = in_session(job);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_EQ(outcome.output, fr_run(local).output);
    EXPECT_TRUE(shrinks()) << task_managers();
  }
  EXPECT_TRUE(eventually([&] { return task_manager_processes().size() == 1; }))
      << list_of_processes();
  const Outcome log = fr({"logs"});
  EXPECT_NE(log.output.find("the deployer is asked for 2 more task managers, 3 in all"),
            std::string::npos)
      << log.text();
  EXPECT_EQ(resize(1), (Names{"taskmanager-1"})) << "the deployer knows that they are gone";
  stop_session("s");
}

TEST_F(OnDemand, ReplacesOneThatIsKilled) {
  start();
  ChildProcess client = endless({"--parallelism=3", "-D", "restart-strategy.type=fixed-delay", "-D",
                                 "restart-strategy.fixed-delay.attempts=5", "-D",
                                 "restart-strategy.fixed-delay.delay=0ms"});
  ASSERT_TRUE(runs());
  ASSERT_EQ(names().size(), 3u);
  std::filesystem::remove(running_);
  ::kill(process_of("taskmanager-3"), SIGKILL);
  ASSERT_TRUE(runs()) << "it restarts";
  const Names now = names();
  EXPECT_EQ(now.size(), 3u);
  EXPECT_EQ(std::count(now.begin(), now.end(), "taskmanager-3"), 0);
  EXPECT_TRUE(eventually([&] { return fr_json({"list"})[0]["jobs"][0]["status"] == "running"; }));
  EXPECT_EQ(fr({"cancel", fr_json({"list"})[0]["id"]}).code, 0);
  EXPECT_EQ(client.wait(60).code, 130);
  EXPECT_TRUE(shrinks()) << task_managers();
  stop_session("s");
}

TEST_F(OnDemand, LeavesNothingWhenItIsStoppedWhileTheyRunOrCome) {
  start();
  ChildProcess client = endless({"--parallelism=3"});
  ASSERT_TRUE(runs());
  stop_session("s");
  EXPECT_EQ(client.wait(30).code, 130);
  start();
  ChildProcess waiting = endless({"--parallelism=3"});
  ASSERT_TRUE(eventually([&] { return !fr_json({"list"}).empty(); }));
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
  waiting.wait(30);
}

TEST_F(OnDemand, SaysWhatAJobOfMoreThanTheMostWaitsFor) {
  start();
  const Outcome outcome =
      in_session({"--parallelism=4", "-D", "slot.request-timeout=500ms", "jobs", "1"});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome,
                   "needs 4 slots, 1 of 1 are free (task managers: 1); no more than 3 "
                   "task managers are started (resource-manager.max-task-managers)"))
      << outcome.text();
  EXPECT_EQ(names().size(), 1u);
  stop_session("s");
}

TEST_F(OnDemand, BringsTaskManagersToTheClusterOfAnApplication) {
  const Outcome outcome = application({"-D", "resource-manager.max-task-managers=3", "-D",
                                       "taskmanager.slots=1", "--parallelism=3", "jobs", "2"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
}

}  // namespace
