// What a program gets of jobs on a cluster: rows, and clients of jobs that it did not submit.
#include <gtest/gtest.h>
#include <signal.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class Clients : public ClusterTest {};

TEST_F(Clients, CollectRowsOfAJobOnTheCluster) {
  start_session("s");
  for (const char* where : {"execution.main=cluster", "execution.main=client"}) {
    const Outcome outcome =
        in_session({"-D", where, "-D", "parallelism.default=2", "collect", "20000"});
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_EQ(outcome.output, "20000 rows, 400020000\n") << outcome.text();
  }
  stop_session("s");
}

TEST_F(Clients, CollectNothingFromAnEmptyJob) {
  start_session("s");
  const Outcome outcome = in_session({"collect", "0"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "0 rows, 0\n") << outcome.text();
  stop_session("s");
}

TEST_F(Clients, FindAJobByItsIdAlone) {
  start_session("s");
  ASSERT_EQ(in_session({"-d", "leave-endless", scratch_ / "running"}).code, 0);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  const std::string job = fr_json({"list"})[0]["jobs"][0]["id"];
  const Outcome watched = in_session({"-D", "execution.main=client", "watch", job});
  EXPECT_EQ(watched.code, 0) << watched.text();
  EXPECT_EQ(watched.output, "left alone is running, a subtask running, then canceled\n")
      << watched.text();
  const Outcome unknown = in_session({"-D", "execution.main=client", "watch", "nowhere"});
  EXPECT_NE(unknown.code, 0);
  EXPECT_TRUE(says(unknown, "job 'nowhere' is not known here")) << unknown.text();
  stop_session("s");
}

// ---- main in the client -------------------------------------------------------------------------

class MainInClient : public ClusterTest {
 protected:
  Words here(const Words& words) const {
    Words all{"--target=standalone-session", "-D", "execution.main=client"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
  nlohmann::json application(std::size_t number) const { return fr_json({"list"})[number]; }
  // Its status and reason, once it has ended.
  nlohmann::json ended(std::size_t number) const {
    static_cast<void>(fr({"wait", application(number)["id"]}));
    return application(number);
  }
};

TEST_F(MainInClient, LeavesARecordHoweverItEnds) {
  start_session("s");
  EXPECT_EQ(fr_run(here({"greet"})).output, "hello from main\n");
  EXPECT_EQ(ended(0)["status"], "finished");
  EXPECT_EQ(ended(0)["name"], "cluster_application.so");
  EXPECT_EQ(ended(0)["exit_code"], 0);
  EXPECT_EQ(fr_run(here({"exit", "3"})).code, 3);
  EXPECT_EQ(application(1)["status"], "failed") << "exit() tells the cluster";
  EXPECT_EQ(application(1)["reason"], "main exited with 3");
  EXPECT_EQ(application(1)["exit_code"], 3);
  EXPECT_EQ(fr_run(here({"submit-and-throw", scratch_ / "running"})).code, 71);
  EXPECT_EQ(ended(2)["status"], "failed");
  EXPECT_EQ(ended(2)["reason"], "main threw: after submitting");
  EXPECT_EQ(ended(2)["exit_code"], 71);
  EXPECT_EQ(ended(2)["jobs"][0]["status"], "canceled");
  EXPECT_EQ(fr_run(here({"fail", "seven is bad"})).code, 70);
  const std::string reason = ended(3)["reason"];
  EXPECT_EQ(reason.rfind("main left with the failure of its job: ", 0), 0u) << reason;
  EXPECT_NE(reason.find("seven is bad"), std::string::npos) << reason;
  EXPECT_EQ(ended(3)["exit_code"], 70);
  EXPECT_EQ(fr_run(here({"leave-endless", scratch_ / "left"})).code, 0);
  EXPECT_EQ(application(4)["status"], "running") << "main has returned, its job has not";
  EXPECT_EQ(application(4)["exit_code"], 0);
  EXPECT_EQ(fr({"cancel", application(4)["id"]}).code, 0);
  EXPECT_EQ(ended(4)["status"], "canceled");
  const Outcome none =
      fr_run(Words{"/no/such/file", "--target=standalone-session", "-D", "execution.main=client"});
  EXPECT_EQ(none.code, 65) << none.text();
  EXPECT_EQ(application(5)["status"], "failed");
  EXPECT_EQ(application(5)["reason"].get<std::string>().rfind("main could not begin: ", 0), 0u);
  stop_session("s");
}

TEST_F(MainInClient, ThatStandsStillForAWhileGoesOn) {
  start_session("s", {"-D", "heartbeat.interval=300ms", "-D", "heartbeat.timeout=3s", "-D",
                      "jobmanager.client-grace=600s"});
  const std::string file = scratch_ / "go on";
  ChildProcess client(line(here({"pause", file})), surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(file + ".pauses"); }));
  client.send(SIGSTOP);
  EXPECT_TRUE(eventually([&] {
    return application(0)["reason"].get<std::string>().find(") is away: ") != std::string::npos;
  })) << application(0);
  EXPECT_EQ(application(0)["status"], "running");
  client.send(SIGCONT);
  std::ofstream(file) << "";
  const Outcome outcome = client.wait(60);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  const auto end = ended(0);
  EXPECT_EQ(end["status"], "finished") << end;
  EXPECT_EQ(end["reason"], "") << end;
  ASSERT_EQ(end["jobs"].size(), 2u);
  for (const auto& job : end["jobs"]) EXPECT_EQ(job["status"], "finished");
  stop_session("s");
}

TEST_F(MainInClient, HasItsApplicationIdAloneAndIsMissedWhenItIsKilled) {
  start_session("s", {"-D", "jobmanager.client-grace=300ms"});
  const std::string file = scratch_ / "running";
  ChildProcess client(line(here({"-D", "application.id=mine", "endless", file})), surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(file); }));
  const Outcome second = fr_run(here({"-D", "application.id=mine", "jobs", "1"}));
  EXPECT_EQ(second.code, 65) << second.text();
  EXPECT_TRUE(says(second,
                   "application.id 'mine' is used by 'cluster_application.so' of client "
                   "(pid "))
      << second.text();
  client.send(SIGKILL);
  static_cast<void>(client.wait(30));
  const auto lost = ended(0);
  EXPECT_EQ(lost["status"], "failed") << lost;
  EXPECT_EQ(lost["reason"].get<std::string>().rfind("its client is lost: client (pid ", 0), 0u)
      << lost;
  ASSERT_EQ(lost["jobs"].size(), 1u);
  EXPECT_EQ(lost["jobs"][0]["status"], "canceled");
  EXPECT_EQ(fr_json({"list"}).size(), 1u) << "the second one has left nothing";
  stop_session("s");
}

}  // namespace
