// fr cluster start, and applications that it takes one after the other and at once.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class SessionMode : public ClusterTest {};

TEST_F(SessionMode, TakesSeveralApplicationsWithSeveralJobs) {
  start_session("s");
  EXPECT_EQ(in_session({"jobs", "3"}).code, 0);
  EXPECT_EQ(in_session({"greet"}).output, "hello from main\n");
  EXPECT_EQ(in_session({"-D", "execution.main=client", "jobs", "2"}).code, 0);
  EXPECT_EQ(in_session({"exit", "3"}).code, 3);
  const auto applications = fr_json({"list"});
  ASSERT_EQ(applications.size(), 4u);
  EXPECT_EQ(applications[0]["jobs"].size(), 3u);
  EXPECT_EQ(applications[0]["jobs"][2]["status"], "finished");
  EXPECT_EQ(applications[2]["jobs"].size(), 2u);
  EXPECT_EQ(applications[3]["status"], "failed");
  EXPECT_EQ(applications[3]["exit_code"], 3);
  EXPECT_EQ(fr({"wait", applications[0]["id"]}).code, 0);
  EXPECT_EQ(fr({"wait", applications[3]["id"]}).code, 70);
  EXPECT_EQ(fr({"status", applications[0]["jobs"][0]["id"]}).code, 0);
  EXPECT_EQ(fr({"status", "nowhere"}).code, 2);
  const Outcome log = fr({"logs", applications[1]["id"]});
  EXPECT_EQ(log.output, "hello from main\n") << log.text();
  stop_session("s");
}

TEST_F(SessionMode, AMainOrATaskThatCrashesLeavesOthersAlone) {
  start_session("s");
  ChildProcess other(line({"--target=standalone-session", "endless", scratch_ / "running"}),
                     surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  EXPECT_EQ(in_session({"segfault"}).code, 128 + SIGSEGV);
  EXPECT_EQ(in_session({"crash-in-a-task"}).code, 70);
  EXPECT_EQ(in_session({"fail", "x"}).code, 70);
  EXPECT_TRUE(other.running());
  EXPECT_EQ(in_session({"jobs", "1"}).code, 0);
  other.send(SIGINT);
  EXPECT_EQ(other.wait(30).code, 130);
  stop_session("s");
}

TEST_F(SessionMode, StoppingItEndsWhatRuns) {
  start_session("s");
  ChildProcess client(line({"--target=standalone-session", "endless", scratch_ / "running"}),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  stop_session("s");
  EXPECT_NE(client.wait(30).code, 0);
}

TEST_F(SessionMode, TwoSideBySideAreChosenById) {
  start_session("one");
  start_session("two");
  const Outcome unclear = in_session({"greet"});
  EXPECT_EQ(unclear.code, 65) << unclear.text();
  EXPECT_TRUE(says(unclear, "'one', 'two'")) << unclear.text();
  EXPECT_EQ(in_session({"--cluster-id=two", "greet"}).code, 0);
  EXPECT_EQ(fr_json({"list", "--cluster-id=two"}).size(), 1u);
  EXPECT_EQ(fr_json({"list", "--cluster-id=one"}).size(), 0u);
  const Outcome again = fr({"cluster", "start", "--cluster-id=one"});
  EXPECT_EQ(again.code, 2) << again.text();
  stop_session("one");
  EXPECT_EQ(in_session({"greet"}).code, 0) << "the only one there is";
  stop_session("two");
}

TEST_F(SessionMode, WithoutAClusterOneLineSaysWhereItWasLookedFor) {
  const double begin = now_seconds();
  const Outcome outcome = in_session({"greet"});
  EXPECT_LT(now_seconds() - begin, 5.0);
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_TRUE(says(outcome, "fr cluster start")) << outcome.text();
  const Outcome listed = fr({"list"});
  EXPECT_EQ(listed.code, 2);
  EXPECT_TRUE(says(listed, folder() + "/clusters")) << listed.text();
  EXPECT_EQ(lines_of(listed.errors).size(), 1u);
  const Outcome named = fr({"list", "--cluster-id=nowhere"});
  EXPECT_TRUE(says(named, folder() + "/clusters/nowhere.json")) << named.text();
}

TEST_F(SessionMode, ACommandWaitsForAClusterThatComes) {
  ChildProcess waiting(line({"--target=standalone-session", "--wait-for-cluster=60s", "greet"}),
                       surroundings());
  start_session("late");
  const Outcome outcome = waiting.wait();
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  stop_session("late");
}

TEST_F(SessionMode, AStateFolderThatCannotBeWrittenIsNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ::chmod(state_.c_str(), 0500);
  const Outcome outcome = fr({"cluster", "start"});
  ::chmod(state_.c_str(), 0700);
  EXPECT_EQ(outcome.code, 2) << outcome.text();
  EXPECT_TRUE(says(outcome, "XDG_STATE_HOME")) << outcome.text();
}

TEST_F(SessionMode, ATaskManagerJoinsByAFileThatOnlyItsOwnerReads) {
  start_session("s", {"--task-managers", "0"});
  const std::string file = folder() + "/run/s/join.json";
  ::chmod(file.c_str(), 0644);
  const Outcome refused = fr({"taskmanager", "--join=" + file});
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_TRUE(says(refused, "chmod 600")) << refused.text();
  ::chmod(file.c_str(), 0600);
  ChildProcess manager({path_from("FRESHET_TEST_FR"), "taskmanager", "--join=" + file, "--name=tm"},
                       surroundings());
  EXPECT_EQ(in_session({"jobs", "1"}).code, 0);
  const auto cluster = fr_json({"cluster", "status"});
  EXPECT_EQ(cluster["task_managers"][0]["id"], "tm");
  stop_session("s");
  EXPECT_EQ(manager.wait(30).code, 0);
}

}  // namespace
