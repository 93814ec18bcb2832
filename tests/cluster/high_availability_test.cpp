// Several job managers of one cluster, as people start them, over the service of
// samples/shared_folder.
#include <signal.h>

#include <optional>

#include "commit_steps.h"
#include "own_cluster.h"

namespace freshet::testing {
namespace {

class HighAvailability : public ClusterTest {
 protected:
  HighAvailability() {
    std::filesystem::create_directories(plugins_.path());
    std::filesystem::create_symlink(path_from("FRESHET_TEST_SHARED_FOLDER"),
                                    plugins_ / "shared_folder.so");
  }

  Words daemon(const std::string& role, const Words& more = {}) const {
    Words words{path_from("FRESHET_TEST_FR"),
                role,
                "-D",
                "high-availability.type=shared-folder",
                "-D",
                "shared-folder.path=" + (scratch_ / "ha"),
                "-D",
                "plugin.dirs=" + plugins_.path()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::unique_ptr<ChildProcess> start_job_manager() const {
    return std::make_unique<ChildProcess>(daemon("jobmanager", {"--cluster-id=c"}), surroundings());
  }
  // By the address that the first leader had: it finds the next one through the service alone.
  std::unique_ptr<ChildProcess> start_task_manager() {
    const std::string join = scratch_ / "join.json";
    std::filesystem::copy_file(folder() + "/run/c/join.json", join);
    return std::make_unique<ChildProcess>(
        daemon("taskmanager", {"--join=" + join, "--name=tm", "-D", "taskmanager.slots=2"}),
        surroundings());
  }
  std::string kept(const std::string& name) const { return scratch_ / "ha/c/" + name; }
  int term() const { return std::atoi(text_of_file(kept("term")).c_str()); }
  // Where the leader of that term listens; "": there is none yet.
  std::string endpoint(int of_term) const {
    const auto lines = lines_of(text_of_file(kept("leader")));
    return lines.size() > 1 && lines[0] == std::to_string(of_term) ? lines[1] : "";
  }
  bool leads(int of_term) const {
    return eventually([&] {
      return !endpoint(of_term).empty() &&
             fr({"cluster", "list"}).output.find(endpoint(of_term)) != std::string::npos;
    });
  }
  bool runs(const std::string& alive) const {
    std::filesystem::remove(alive);
    return eventually([&] { return std::filesystem::exists(alive); });
  }

  const ScratchFolder plugins_;
};

TEST_F(HighAvailability, AJobManagerThatIsKilledIsFollowedByTheNextWithItsJobs) {
  auto first = start_job_manager();
  ASSERT_TRUE(leads(1));
  auto task_manager = start_task_manager();
  auto second = start_job_manager();
  const std::string alive = scratch_ / "alive";
  ASSERT_EQ(in_session({"-d", "steady", alive}).code, 0);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(alive); }));
  ASSERT_EQ(names_in(kept("graphs")).size(), 1u);
  const std::string job = names_in(kept("graphs"))[0];

  first->send(SIGKILL);
  first->wait();
  ASSERT_TRUE(leads(2)) << text_of_file(kept("leader"));
  ASSERT_TRUE(runs(alive)) << "it is started anew";
  EXPECT_EQ(fr({"cancel", job}).code, 0);
  EXPECT_EQ(fr({"wait", job}).code, 130);
  EXPECT_EQ(names_in(kept("results")), std::vector<std::string>{job});
  EXPECT_TRUE(eventually([&] { return names_in(kept("graphs")).empty(); }));

  // Its end outlives this leader, too.
  auto third = start_job_manager();
  second->send(SIGKILL);
  second->wait();
  ASSERT_TRUE(leads(3));
  // Whom it does not know it can't end.
  ASSERT_TRUE(eventually([&] {
    return fr_json({"cluster", "status"})["task_managers"].size() == 1;
  }));
  const Outcome waited = fr({"wait", job});
  EXPECT_EQ(waited.code, 130) << waited.text();
  const std::string list = fr({"list"}).output;
  EXPECT_EQ(list.find("jobs without an application:\n  job " + job + "  canceled"), 0u) << list;
  const auto json = fr_json({"list"});
  ASSERT_EQ(json.size(), 1u) << json;
  EXPECT_TRUE(json[0]["id"].is_null()) << json;
  EXPECT_EQ(json[0]["jobs"][0]["id"], job) << json;
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
  EXPECT_EQ(third->wait().code, 0);
  EXPECT_EQ(task_manager->wait().code, 0);
}

// Main is in the client, which outlives the job manager.
TEST_F(HighAvailability, RowsThatNobodyHasGotYetComeFromTheNextLeadersAttempt) {
  auto first = start_job_manager();
  ASSERT_TRUE(leads(1));
  auto task_manager = start_task_manager();
  auto second = start_job_manager();
  const std::string gate = scratch_ / "gate";
  ChildProcess client(
      line({"--target=standalone-session", "-D", "execution.main=client", "collect-late", gate}),
      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(gate + ".running"); }));
  std::filesystem::remove(gate + ".running");
  first->send(SIGKILL);
  first->wait();
  ASSERT_TRUE(leads(2)) << text_of_file(kept("leader"));
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(gate + ".running"); }))
      << "it is started anew";
  std::ofstream(gate) << "";
  const Outcome outcome = client.wait();
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "100000 rows, 5000050000\n") << outcome.text();
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
  EXPECT_EQ(second->wait().code, 0);
  EXPECT_EQ(task_manager->wait().code, 0);
}

// Main ends with the job manager; the result of its job is kept.
TEST_F(HighAvailability, WhoWaitsForAnApplicationWhoseJobsHadEndedGetsWhatIsKeptOfThem) {
  auto first = start_job_manager();
  ASSERT_TRUE(leads(1));
  auto task_manager = start_task_manager();
  auto second = start_job_manager();
  ChildProcess client(line({"--target=standalone-session", "pause", scratch_ / "go"}),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "go.pauses"); }));
  first->send(SIGKILL);
  first->wait();
  ASSERT_TRUE(leads(2)) << text_of_file(kept("leader"));
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_TRUE(says(outcome,
                   "all its jobs have finished; whether its main had more to do is not "
                   "known"))
      << outcome.text();
  // Whom it does not know it can't end.
  ASSERT_TRUE(eventually([&] {
    return fr_json({"cluster", "status"})["task_managers"].size() == 1;
  }));
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
  EXPECT_EQ(second->wait().code, 0);
  EXPECT_EQ(task_manager->wait().code, 0);
}

TEST_F(HighAvailability, AJobManagerWhoseLeadershipIsTakenAwayEndsAndTheClusterGoesOn) {
  auto first = start_job_manager();
  ASSERT_TRUE(leads(1));
  auto task_manager = start_task_manager();
  auto second = start_job_manager();
  const std::string alive = scratch_ / "alive";
  ASSERT_EQ(in_session({"-d", "steady", alive}).code, 0);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(alive); }));
  std::filesystem::remove(kept("lock"));
  const Outcome former = first->wait();
  EXPECT_EQ(former.code, 75) << former.text();
  EXPECT_TRUE(says(former, "leads no more: the lock in ")) << former.text();
  ASSERT_TRUE(leads(2));
  EXPECT_TRUE(runs(alive));
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
  EXPECT_EQ(second->wait().code, 0);
  EXPECT_EQ(task_manager->wait().code, 0);
}

TEST_F(HighAvailability, ASignalEndsOneJobManagerAndStopAllOfThem) {
  auto first = start_job_manager();
  ASSERT_TRUE(leads(1));
  auto task_manager = start_task_manager();
  auto second = start_job_manager();
  const std::string alive = scratch_ / "alive";
  ASSERT_EQ(in_session({"-d", "steady", alive}).code, 0);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(alive); }));
  first->send(SIGTERM);
  EXPECT_EQ(first->wait().code, 0);
  ASSERT_TRUE(leads(2));
  EXPECT_TRUE(runs(alive));
  auto third = start_job_manager();
  const std::string log = folder() + "/logs/c/jobmanager.log";
  // Each says so before it leads.
  const auto stand_by = [&] {
    std::size_t count = 0;
    for (const std::string& line : lines_of(text_of_file(log)))
      count += line.find("stands by until it leads") != std::string::npos ? 1 : 0;
    return count == 3;
  };
  ASSERT_TRUE(eventually(stand_by)) << text_of_file(log);
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
  EXPECT_EQ(second->wait().code, 0);
  EXPECT_EQ(third->wait().code, 0) << "it leads for as long as it takes to learn of the end";
  EXPECT_EQ(task_manager->wait().code, 0);
}

TEST_F(HighAvailability, AClusterThatIsDeployedHandsItsProcessesTheOptionsOfTheService) {
  start_session(
      "c", {"-D", "high-availability.type=shared-folder", "-D",
            "shared-folder.path=" + (scratch_ / "ha"), "-D", "plugin.dirs=" + plugins_.path()});
  EXPECT_EQ(term(), 1);
  const std::string alive = scratch_ / "alive";
  ASSERT_EQ(in_session({"-d", "steady", alive}).code, 0);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(alive); }));
  // The task manager finds the next one through the service.
  auto second = start_job_manager();
  ::kill(std::atoi(fr_json({"cluster", "status"})["process"].dump().c_str()), SIGKILL);
  ASSERT_TRUE(leads(2)) << text_of_file(kept("leader"));
  EXPECT_TRUE(runs(alive));
  stop_session("c");
  EXPECT_EQ(second->wait().code, 0);
}

TEST_F(HighAvailability, TheEnvironmentMayNameTheOptionsOfTheService) {
  Surroundings around = surroundings();
  around.variables["FRESHET_HIGH_AVAILABILITY_TYPE"] = "shared-folder";
  around.variables["FRESHET_SHARED_FOLDER_PATH"] = scratch_ / "ha";
  around.variables["FRESHET_PLUGIN_DIRS"] = plugins_.path();
  const Outcome started = run(
      {path_from("FRESHET_TEST_FR"), "cluster", "start", "--cluster-id=c", "--slots", "2"}, around);
  ASSERT_EQ(started.code, 0) << started.text();
  EXPECT_EQ(term(), 1);
  EXPECT_EQ(in_session({"jobs", "1"}).code, 0);
  stop_session("c");
}

TEST_F(HighAvailability, AServiceThatCannotBeIsRefusedByNameAndNothingIsLeft) {
  const auto refused = [&](const Words& more) {
    Words words{"jobmanager", "--cluster-id=c", "-D", "plugin.dirs=" + plugins_.path()};
    words.insert(words.end(), more.begin(), more.end());
    const Outcome outcome = fr(words);
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    return outcome.errors;
  };
  const std::string unknown = refused({"-D", "high-availability.type=shared-foldr"});
  EXPECT_NE(unknown.find("did you mean 'shared-folder'?"), std::string::npos) << unknown;
  EXPECT_NE(unknown.find("looked in: " + plugins_.path()), std::string::npos) << unknown;
  const std::string without = refused({"-D", "high-availability.type=shared-folder"});
  EXPECT_NE(without.find("shared-folder.path is ''"), std::string::npos) << without;
  std::ofstream(plugins_ / "broken.so") << "no shared object";
  const std::string broken = refused({"-D", "high-availability.type=broken"});
  EXPECT_NE(broken.find((plugins_ / "broken.so") + ": "), std::string::npos) << broken;
  const Outcome task_manager =
      fr({"taskmanager", "--cluster-id=c", "-D", "high-availability.type=nonsense"});
  EXPECT_EQ(task_manager.code, 65) << task_manager.text();
}

TEST_F(HighAvailability, WithoutItASecondJobManagerOfAClusterIsRefused) {
  start_session("s");
  const Outcome outcome = fr({"jobmanager", "--cluster-id=s"});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_TRUE(says(outcome, "cluster 's' is there already")) << outcome.text();
  stop_session("s");
}

// ---- a leader that is killed while a job commits ------------------------------------------------

class LeaderKilledWhileItCommits : public HighAvailability,
                                   public ::testing::WithParamInterface<std::string> {
 protected:
  const CommitSteps steps_{scratch_};
};

TEST_P(LeaderKilledWhileItCommits, IsFollowedByOneThatBringsTheJobToItsEnd) {
  const std::string& step = GetParam();
  auto first = start_job_manager();
  ASSERT_TRUE(leads(1));
  auto task_manager = start_task_manager();
  auto second = start_job_manager();
  steps_.hold(step);
  if (step == "after-commit-1") steps_.hold("after-commit-0");  // all is visible then
  ASSERT_EQ(in_session({path_from("FRESHET_TEST_COMMIT_APPLICATION"), "-d", steps_.output(),
                        steps_.folder()})
                .code,
            0);
  steps_.reached(step);
  if (step == "after-commit-1") steps_.reached("after-commit-0");
  if (step == "before-commit-1") {
    ASSERT_TRUE(eventually([&] { return steps_.is_visible(0); }));
  }
  const bool commits = step.find("-commit-") != std::string::npos;
  std::string job;
  for (const std::string& name : names_in(kept("graphs"))) {
    if (name.find('.') == std::string::npos) job = name;
  }
  EXPECT_EQ(names_in(kept("graphs")).size(), commits ? 2u : 1u);
  first->send(SIGKILL);
  first->wait();
  steps_.release(step);
  steps_.release("after-commit-0");
  ASSERT_TRUE(leads(2)) << text_of_file(kept("leader"));
  const Outcome outcome = fr({"wait", job});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  steps_.expect_whole();
  EXPECT_TRUE(eventually([&] { return names_in(kept("graphs")).empty(); }));
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
  EXPECT_EQ(second->wait().code, 0);
  EXPECT_EQ(task_manager->wait().code, 0);
}

INSTANTIATE_TEST_SUITE_P(HighAvailability, LeaderKilledWhileItCommits,
                         ::testing::ValuesIn(kCommitSteps), [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace freshet::testing
