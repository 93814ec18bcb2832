// What a program gets of jobs on a cluster: rows, and clients of jobs that it did not submit. And
// what people are told of a cluster that can't be found, has ended or does not begin.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>

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
  EXPECT_TRUE(says(unknown, "bad value 'nowhere' for option 'job.id'") &&
              says(unknown, "32 hex digits"))
      << unknown.text();
  const std::string other(32, 'a');
  const Outcome not_here = in_session({"-D", "execution.main=client", "watch", other});
  EXPECT_TRUE(says(not_here, "job '" + other + "' is not known here")) << not_here.text();
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

TEST_F(Clients, SeeVerticesSubtasksAndAccumulatorsOfAJob) {
  start_session("s");
  ASSERT_EQ(in_session({"--parallelism=2", "count", "10"}).code, 0);
  const std::string id = fr_json({"list"})[0]["jobs"][0]["id"];
  const auto job = fr_json({"status", id});
  EXPECT_EQ(job["id"], id);
  EXPECT_EQ(job["source_records"], 10);
  ASSERT_GE(job["vertices"].size(), 2u) << job;
  nlohmann::json counted;
  for (const auto& vertex : job["vertices"])
    if (vertex["name"] == "counted") counted = vertex;
  EXPECT_EQ(counted["records_in"], 10) << job;
  EXPECT_EQ(counted["parallelism"], 2) << job;
  EXPECT_EQ(counted["metrics"]["seen"]["kind"], "counter") << job;
  EXPECT_EQ(counted["metrics"]["seen"]["value"], 10) << job;
  ASSERT_FALSE(job["subtasks"].empty()) << job;
  for (const auto& subtask : job["subtasks"]) {
    EXPECT_EQ(subtask["state"], "finished");
    EXPECT_FALSE(subtask["host"].get<std::string>().empty());
    EXPECT_EQ(subtask["attempt"], 0);
  }
  const nlohmann::json sum{{"records", {{"kind", "sum"}, {"count", 10}, {"value", 55.0}}}};
  EXPECT_EQ(job["accumulators"], sum);
  EXPECT_EQ(fr_json({"wait", id})["accumulators"], sum);
  const std::string text = fr({"status", id}).output;
  EXPECT_NE(text.find("    counted  parallelism 2, 10 records in, 10 out\n"), std::string::npos)
      << text;
  EXPECT_NE(text.find("      2 finished on "), std::string::npos) << text;
  EXPECT_NE(text.find("    records: 55\n"), std::string::npos) << text;
  EXPECT_NE(fr({"wait", id}).output.find("    records: 55\n"), std::string::npos);
  stop_session("s");
}

TEST_F(Clients, ReadLogsOfWorkersByTheBeginningOfAJobsIdWhileTheClusterLivesAndAfter) {
  start_session("s", {"--task-managers=2"});
  ASSERT_EQ(in_session({"--parallelism=4", "count", "10"}).code, 0);
  const auto application = fr_json({"list"})[0];
  const std::string main = application["id"], job = application["jobs"][0]["id"];
  const auto lines_in = [&](const std::string& process) {
    const Outcome outcome = fr({"logs", "--cluster-id=s", process});
    EXPECT_EQ(outcome.code, 0) << process << "\n" << outcome.text();
    std::size_t count = 0;  // of printed records, without the lines of the worker's own log
    for (const std::string& line : lines_of(outcome.output)) count += line.find("  ") > line.size();
    return count;
  };
  for (const bool lives : {true, false}) {
    if (!lives) stop_session("s");
    for (const std::string& id : {job, job.substr(0, 10), job.substr(0, 8), job.substr(0, 6)}) {
      EXPECT_EQ(lines_in(id), lines_in(id + ":0")) << id;
      EXPECT_EQ(lines_in(id + ":0") + lines_in(id + ":1"), 10u) << id << lives;
      EXPECT_GT(lines_in(id + ":1"), 0u) << id;
    }
    const Outcome none = fr({"logs", "--cluster-id=s", job + ":7"});
    EXPECT_EQ(none.code, 65) << none.text();
    const Outcome unknown = fr({"logs", "--cluster-id=s", "nothing:0"});
    EXPECT_EQ(unknown.code, 65) << unknown.text();
  }
  EXPECT_EQ(fr({"logs", "--cluster-id=s", "worker-" + job.substr(0, 8) + "-0-1"}).code, 0);
  EXPECT_EQ(fr({"logs", "--cluster-id=s", main}).code, 65) << "it has printed nothing";
}

// ---- clusters that are not there ----------------------------------------------------------------

class MissingCluster : public ClusterTest {
 protected:
  std::string record_of(const std::string& id) const {
    return folder() + "/clusters/" + id + ".json";
  }
};

TEST_F(MissingCluster, IsNotGuessedWhereARecordCantBeRead) {
  start_session("a");
  start_session("b");
  ASSERT_EQ(::chmod(record_of("b").c_str(), 0644), 0);
  for (const Words& words :
       {Words{"list"}, {"cluster", "status"}, {"list", "--wait-for-cluster=5s"}}) {
    const Outcome outcome = fr(words);
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_TRUE(
        says(outcome, "a cluster may be meant whose record can't be read: " + record_of("b")))
        << outcome.text();
    EXPECT_TRUE(says(outcome, "chmod 600; or choose one by --cluster-id")) << outcome.text();
  }
  const Outcome submitted = in_session({"greet"});
  EXPECT_EQ(submitted.code, 65) << submitted.text();
  EXPECT_TRUE(says(submitted, record_of("b"))) << submitted.text();
  EXPECT_EQ(in_session({"--cluster-id=a", "greet"}).code, 0);
  EXPECT_EQ(fr_json({"cluster", "list"}).size(), 1u) << "with a warning";
  stop_session("a");
  EXPECT_EQ(fr({"list"}).code, 65) << "nor where it is the only one";
  ASSERT_EQ(::chmod(record_of("b").c_str(), 0600), 0);
  stop_session("b");
}

TEST_F(MissingCluster, ThatSomebodyElseHasStoppedMeanwhileHasEnded) {
  start_session("s");
  const std::string record = text_of_file(record_of("s"));
  stop_session("s");
  // As it is for who has read it a moment ago.
  std::ofstream(record_of("s")) << record;
  ASSERT_EQ(::chmod(record_of("s").c_str(), 0600), 0);
  ChildProcess stopping(
      {path_from("FRESHET_TEST_FR"), "cluster", "stop", "-D", "client.timeout=60s"},
      surroundings());
  ASSERT_TRUE(eventually([&] { return stopping.running() && !processes("stop").empty(); }));
  // It has read the record once it has threads to connect with.
  const std::string threads = "/proc/" + std::to_string(processes("stop").at(0)) + "/task";
  ASSERT_TRUE(eventually([&] {
    std::error_code gone;
    return std::distance(std::filesystem::directory_iterator(threads, gone),
                         std::filesystem::directory_iterator()) > 2;
  }));
  std::filesystem::remove(record_of("s"));
  const Outcome outcome = stopping.wait(30);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "cluster 's' has ended\n") << outcome.text();
}

TEST_F(MissingCluster, IsLeftAtOnceByWhoWaitedForItsOutput) {
  // Where it takes as long as a patience that ends by itself, it was no accident.
  constexpr double kFallbackSeconds = 2.0;
  double shortest = kFallbackSeconds;
  for (int round = 0; round < 5 && shortest >= kFallbackSeconds; ++round) {
    start_session("s");
    ChildProcess client(line({"--target=standalone-session", "endless", scratch_ / "running"}),
                        surroundings());
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
    stop_session("s");
    const double begin = now_seconds();
    EXPECT_EQ(client.wait(30).code, 130);
    shortest = std::min(shortest, now_seconds() - begin);
    std::filesystem::remove(scratch_ / "running");
  }
  EXPECT_LT(shortest, kFallbackSeconds);
}

TEST_F(MissingCluster, ThatDoesNotBeginQuotesWhatItHasSaidItself) {
  start_session("s");
  stop_session("s");
  ASSERT_NE(text_of_file(folder() + "/logs/s/jobmanager.log").find("listens on"),
            std::string::npos);
  const Words bad{"cluster", "start", "--cluster-id=s", "-D",
                  "jobmanager.bind=tcp://192.0.2.1:7707"};
  for (int round = 0; round < 2; ++round) {
    const Outcome outcome = fr(bad);
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_TRUE(says(outcome, "has ended before it could be reached; it said last:\n"))
        << outcome.text();
    const std::size_t first = outcome.errors.find("192.0.2.1");
    EXPECT_NE(first, std::string::npos) << outcome.text();
    EXPECT_FALSE(says(outcome, "listens on")) << "of an earlier one: " << outcome.text();
    EXPECT_EQ(outcome.errors.find("fr jobmanager:", outcome.errors.find("fr jobmanager:") + 1),
              std::string::npos)
        << "of the earlier round: " << outcome.text();
  }
  const Outcome whole = application({"-D", "jobmanager.bind=ipc:///nowhere", "greet"});
  EXPECT_EQ(whole.code, 65) << whole.text();
}

}  // namespace
