// fr cluster start, and applications that it takes one after the other and at once.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "own_cluster.h"
#include "scale.h"

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
  EXPECT_EQ(fr({"status", "nowhere"}).code, 65);
  const Outcome log = fr({"logs", applications[1]["id"]});
  EXPECT_EQ(log.output, "hello from main\n") << log.text();
  stop_session("s");
}

// As in the README: the files are named as they are seen from where fr-run is called.
TEST_F(SessionMode, RelativePathsBeginAtTheWorkingFolderOfTheClient) {
  start_session("s");
  Surroundings client = surroundings();
  client.folder = scratch_ / "client";
  for (const char* main : {"cluster", "client"}) {
    const std::string output = std::string("counts-in-") + main;
    scratch_.write("client/notes.txt", "one one");
    const Outcome outcome = run(
        line({word_count_, "--target=standalone-session", "-D",
              std::string("execution.main=") + main, "--input", "notes.txt", "--output", output}),
        client);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_EQ(text_of_file(scratch_ / "client" + "/" + output + "/part-0"), "one\t2\n");
  }
  const Outcome missing =
      run(line({word_count_, "--target=standalone-session", "--input", "nots.txt"}), client);
  EXPECT_EQ(missing.code, 70) << missing.text();
  EXPECT_TRUE(says(missing, "can't read '" + client.folder + "/nots.txt'")) << missing.text();
  // Where the cluster's host has no such folder.
  client.folder = scratch_ / "client";
  const Outcome elsewhere =
      run(line({word_count_, "--target=standalone-session", "-D",
                "application.working-folder=/nowhere", "--input", "notes.txt"}),
          client);
  EXPECT_EQ(elsewhere.code, 70) << elsewhere.text();
  EXPECT_TRUE(says(elsewhere, std::filesystem::current_path().native() + "/notes.txt'"))
      << "the cluster was started here: " << elsewhere.text();
  stop_session("s");
}

// As in docs/users/clusters.md: the operators of this application open their paths themselves.
TEST_F(SessionMode, RelativePathsOfOperatorsBeginWhereThoseOfMainDo) {
  start_session("s");
  Surroundings client = surroundings();
  client.folder = scratch_ / "client";
  scratch_.write("client/readings/a.csv", "north,1000,2.5\n");
  const auto read = [&](const std::string& setting, const std::string& input) {
    return run(line({path_from("FRESHET_TEST_SENSOR_READINGS"), "--target=standalone-session", "-D",
                     setting, input, "reports"}),
               client);
  };
  for (const char* main : {"cluster", "client"}) {
    const std::string setting = std::string("execution.main=") + main;
    const Outcome outcome = read(setting, "readings");
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_FALSE(names_in(client.folder + "/reports").empty()) << main << ": " << outcome.text();
    std::filesystem::remove_all(client.folder + "/reports");
    const Outcome missing = read(setting, "reedings");
    EXPECT_EQ(missing.code, 70) << missing.text();
    EXPECT_TRUE(says(missing, "can't read the folder '" + client.folder + "/reedings'"))
        << main << ": " << missing.text();
  }
  // Where the cluster's host has no such folder.
  const Outcome elsewhere = read("application.working-folder=/nowhere", "readings");
  EXPECT_EQ(elsewhere.code, 70) << elsewhere.text();
  EXPECT_TRUE(says(elsewhere, "'" + std::filesystem::current_path().native() + "/readings'"))
      << "the cluster was started here: " << elsewhere.text();
  stop_session("s");
}

TEST_F(SessionMode, StatusWithoutAnIdListsWhatThereIsAndCancelSaysWhatItDoes) {
  start_session("s");
  EXPECT_TRUE(says(fr({"list"}), "cluster 's' knows of no application"));
  ASSERT_EQ(in_session({"-d", "steady", scratch_ / "alive"}).code, 0);
  ASSERT_EQ(in_session({"greet"}).code, 0);
  const auto all = fr_json({"list"});
  EXPECT_EQ(fr_json({"status"}).size(), all.size());
  const Outcome shown = fr({"status"});
  EXPECT_EQ(shown.code, 0) << shown.text();
  EXPECT_EQ(shown.output.find(all[0]["id"].get<std::string>()), 0u) << shown.text();
  const std::string running = all[0]["id"], ended = all[1]["id"];
  const Outcome first = fr({"cancel", running});
  EXPECT_EQ(first.code, 0) << first.text();
  EXPECT_EQ(first.output.find("application " + running + " ('"), 0u) << first.text();
  EXPECT_NE(first.output.find("is being canceled\n"), std::string::npos) << first.text();
  EXPECT_EQ(fr({"wait", running}).code, 130);
  for (const auto& [id, status] : {std::pair(running, "canceled"), std::pair(ended, "finished")}) {
    const Outcome again = fr({"cancel", id});
    EXPECT_EQ(again.code, 0) << again.text();
    EXPECT_NE(again.output.find(std::string("has ended already: ") + status), std::string::npos)
        << again.text();
  }
  stop_session("s");
}

TEST_F(SessionMode, WhoseTaskManagersCantStartIsEndedAndSaysWhy) {
  const Outcome refused = fr({"cluster", "start", "--cluster-id=s", "--task-managers=2", "-D",
                              "taskmanager.host=no/host"});
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_EQ(refused.output, "");
  EXPECT_TRUE(says(refused, "of its 2 task managers could not start")) << refused.text();
  EXPECT_TRUE(says(refused, "taskmanager.host: 'no/host' is no host")) << refused.text();
  EXPECT_TRUE(says(refused, folder() + "/logs/s")) << refused.text();
}

TEST_F(SessionMode, ALongFailureKeepsItsJobOperatorAndRecord) {
  start_session("s");
  std::string text = "the first line";
  for (int i = 0; i < 100; ++i) text += "\nline " + std::to_string(i) + std::string(80, 'x');
  const Outcome outcome = in_session({"fail", text});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome,
                   "job 'failing' failed: operator 'doubtful' (subtask 0) at record 7: the first "
                   "line\n"))
      << outcome.text();
  stop_session("s");
}

TEST_F(SessionMode, AnUnfinishedLineOfMainIsShownAtOnce) {
  start_session("s");
  const std::string shown = scratch_ / "shown", go_on = scratch_ / "go-on";
  Words all{"/bin/sh", "-c", "out=$1; shift; exec \"$@\" >\"$out\"", "sh", shown};
  for (const std::string& word : line({"--target=standalone-session", "prompt", go_on}))
    all.push_back(word);
  ChildProcess client(all, surroundings());
  EXPECT_TRUE(eventually([&] {
    return std::filesystem::exists(shown) && text_of_file(shown) == "name? ";
  })) << text_of_file(shown);
  scratch_.write("go-on", "");
  EXPECT_EQ(client.wait(30).code, 0);
  EXPECT_EQ(text_of_file(shown), "name? thanks\n");
  stop_session("s");
}

// A socket that gets no descriptor would end the process.
TEST_F(SessionMode, WithTooFewDescriptorsNobodyBeginsAndTheLimitIsNamed) {
  start_session("s");
  const auto limited = [&](const std::string& limit, const Words& command) {
    Words all{"/bin/sh", "-c", "ulimit -n " + limit + "; exec \"$@\"", "sh"};
    all.insert(all.end(), command.begin(), command.end());
    return run(all, surroundings());
  };
  for (const char* limit : {"16", "24", "40"}) {
    for (const Words& command :
         {Words{path_from("FRESHET_TEST_FR"), "list"}, line({"--target=standalone", "greet"})}) {
      const Outcome refused = limited(limit, command);
      EXPECT_NE(refused.code, 0) << refused.text();
      EXPECT_EQ(refused.signal, 0) << refused.text();
      EXPECT_TRUE(says(refused, "ulimit -n")) << limit << ": " << refused.text();
    }
  }
  EXPECT_EQ(limited("64", {path_from("FRESHET_TEST_FR"), "list"}).code, 0);
  stop_session("s");
}

TEST_F(SessionMode, LogsDoNotSteerATerminal) {
  start_session("s");
  ASSERT_EQ(in_session({"arguments", "a\033[2Jb"}).code, 0);
  const std::string id = fr_json({"list"})[0]["id"];
  EXPECT_NE(fr({"logs", id}).output.find("<a\033[2Jb>"), std::string::npos)
      << "for files and pipes as it is";
  const Outcome terminal = run(
      {"/usr/bin/script", "-qec", "'" + path_from("FRESHET_TEST_FR") + "' logs " + id, "/dev/null"},
      surroundings());
  EXPECT_NE(terminal.output.find("<a?[2Jb>"), std::string::npos) << terminal.text();
  stop_session("s");
}

TEST_F(SessionMode, AJobInThreeWorkersGivesTheRowsOfALocalOne) {
  const Words job{"--parallelism", "3", "exchange", "1000"};
  Words local{"--target=local"};
  local.insert(local.end(), job.begin(), job.end());
  const Outcome expected = fr_run(local);
  ASSERT_EQ(expected.code, 0) << expected.text();
  ASSERT_GT(lines_of(expected.output).size(), 4'000u);
  ASSERT_EQ(fr({"cluster", "start", "--cluster-id=s", "--task-managers=3", "--slots=1"}).code, 0);
  for (const char* chaining : {"true", "false"}) {
    Words here{"-D", std::string("pipeline.operator-chaining=") + chaining};
    here.insert(here.end(), job.begin(), job.end());
    const Outcome outcome = in_session(here);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_TRUE(outcome.output == expected.output) << outcome.text();
  }
  stop_session("s");
}

// The workers are joined by tcp, with keys, as on two hosts.
TEST_F(SessionMode, AJobOfTwoHostsGivesTheRowsOfALocalOne) {
  if (run({"/bin/sh", "-c", "unshare --uts hostname elsewhere"}).code != 0) {
    GTEST_SKIP() << "needs a host name of its own, which this user may not give";
  }
  const Words job{"--parallelism", "2", "exchange", "1000"};
  Words local{"--target=local"};
  local.insert(local.end(), job.begin(), job.end());
  const Outcome expected = fr_run(local);
  start_session("s", {"--task-managers", "0"});
  const auto command = [&](const std::string& host) {
    const std::string joining = path_from("FRESHET_TEST_FR") + " taskmanager '--join=" + folder() +
                                "/run/s/join.json' -D taskmanager.slots=1";
    return Words{"/usr/bin/env", "unshare", "--uts",
                 "sh",           "-c",      "hostname " + host + " && exec " + joining};
  };
  ChildProcess one(command("one"), surroundings()), other(command("other"), surroundings());
  const Outcome outcome = in_session(job);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_TRUE(outcome.output == expected.output) << outcome.text();
  const auto cluster = fr_json({"cluster", "status"});
  std::set<std::string> hosts;
  for (const auto& manager : cluster["task_managers"]) hosts.insert(manager["host"]);
  EXPECT_EQ(hosts, (std::set<std::string>{"one", "other"}));
  stop_session("s");
  EXPECT_EQ(one.wait(30).code, 0);
  EXPECT_EQ(other.wait(30).code, 0);
}

// As people see it: on a terminal, while the job runs.
TEST_F(SessionMode, AttachedShowsProgressOnATerminal) {
  const std::string script = "/usr/bin/script";
  if (!std::filesystem::exists(script)) GTEST_SKIP() << "no " << script;
  start_session("s");
  std::string words;
  for (const std::string& word :
       line({"--target=standalone-session", "-D", "client.progress-interval=20ms", "steady",
             scratch_ / "alive"}))
    words += "'" + word + "' ";
  const std::string shown = scratch_ / "shown";
  ChildProcess terminal({script, "-qefc", words, shown}, surroundings());
  const auto records_in = [&] {
    const std::string text = text_of_file(shown), part = "steady: running, ";
    const auto at = text.rfind(part);
    return at == std::string::npos ? 0 : std::atoi(text.c_str() + at + part.size());
  };
  EXPECT_TRUE(eventually([&] { return std::filesystem::exists(shown) && records_in() > 0; }));
  const int first = records_in();
  EXPECT_TRUE(eventually([&] { return records_in() > first; })) << text_of_file(shown);
  for (const char* part : {" records in, ", " out, ", "/s, ", " s"})
    EXPECT_NE(text_of_file(shown).find(part), std::string::npos) << part << text_of_file(shown);
  EXPECT_EQ(fr({"cancel", fr_json({"list"})[0]["id"]}).code, 0);
  EXPECT_EQ(terminal.wait(30).code, 130);
  EXPECT_NE(text_of_file(shown).find("\r\033[Kfr-run: canceled"), std::string::npos)
      << "the line is taken away: " << text_of_file(shown);
  stop_session("s");
}

// What 60 jobs leave in a job manager and a task manager: what 12 have left.
TEST_F(SessionMode, IsAsCleanAfterManyJobsAsAfterSome) {
  start_session("s", {"-D", "jobmanager.records.max-applications=3"});
  const pid_t managers[] = {process("jobmanager"), process("taskmanager")};
  const auto entries = [](const std::string& path) {
    return std::distance(std::filesystem::directory_iterator(path),
                         std::filesystem::directory_iterator());
  };
  const auto stand = [&] {
    std::vector<std::ptrdiff_t> counts;
    for (const pid_t manager : managers) {
      for (const char* what : {"/fd", "/task"})
        counts.push_back(entries("/proc/" + std::to_string(manager) + what));
    }
    counts.push_back(0);
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder()))
      counts.back() += file.path().extension() != ".log" ? 1 : 0;
    return counts;
  };
  const auto run_jobs = [&](int applications) {
    for (int i = 0; i < applications; ++i) ASSERT_EQ(in_session({"jobs", "4"}).code, 0);
    ASSERT_TRUE(eventually([&] { return processes("worker").empty(); })) << list_of_processes();
  };
  run_jobs(1);
  const std::string first = fr_json({"list"})[0]["id"];
  run_jobs(2);
  std::vector<std::ptrdiff_t> early;
  // Sockets of what has ended are closed a moment later.
  ASSERT_TRUE(eventually([&] { return std::exchange(early, stand()) == stand(); }));
  run_jobs(12);
  EXPECT_TRUE(eventually([&] { return stand() == early; }))
      << ::testing::PrintToString(early) << " have become " << ::testing::PrintToString(stand());
  EXPECT_EQ(fr_json({"list"}).size(), 3u);
  const Outcome gone = fr({"wait", first});
  EXPECT_EQ(gone.code, 65);
  EXPECT_TRUE(says(gone, "there is no record any more of application '" + first + "'"))
      << gone.text();
  EXPECT_TRUE(says(gone, "the last 3 are kept (jobmanager.records.max-applications)"));
  stop_session("s");
}

TEST_F(SessionMode, StoppingItEndsWhatRuns) {
  start_session("s");
  ChildProcess client(line({"--target=standalone-session", "endless", scratch_ / "running"}),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  stop_session("s");
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
}

TEST_F(SessionMode, AJobThatIsCanceledWhileMainWaitsForItCancelsTheApplicationByItsName) {
  start_session("s");
  ChildProcess client(line({"--target=standalone-session", "endless", scratch_ / "running"}),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  EXPECT_EQ(fr({"cancel", fr_json({"list"})[0]["jobs"][0]["id"]}).code, 0);
  const Outcome outcome = client.wait(60);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
  EXPECT_TRUE(says(outcome, "job 'endless' was canceled")) << outcome.text();
  EXPECT_FALSE(says(outcome, "[freshet]")) << outcome.text();
  const auto application = fr_json({"list"})[0];
  EXPECT_EQ(application["status"], "canceled");
  EXPECT_EQ(application["reason"], "job 'endless' was canceled");
  stop_session("s");
}

TEST_F(SessionMode, AnOptionOfTheClusterOnTheCommandLineOfAnApplicationIsRefusedByName) {
  start_session("s");
  for (const char* where : {"execution.main=cluster", "execution.main=client"}) {
    const Outcome outcome = in_session({"-D", where, "-D", "heartbeat.timeout=3s", "greet"});
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_TRUE(says(outcome, "option 'heartbeat.timeout' (3s) belongs to a cluster"))
        << outcome.text();
    EXPECT_TRUE(says(outcome, "give it to 'fr cluster start'")) << outcome.text();
  }
  Surroundings around = surroundings();
  around.variables["FRESHET_HEARTBEAT_TIMEOUT"] = "3s";
  const Outcome outcome = run(line({"--target=standalone-session", "greet"}), around);
  EXPECT_EQ(outcome.code, 0) << "the environment serves several clusters: " << outcome.text();
  stop_session("s");
}

TEST_F(SessionMode, AMainInTheClientIsCanceledByCtrlC) {
  start_session("s");
  ChildProcess client(line({"--target=standalone-session", "-D", "execution.main=client", "endless",
                            scratch_ / "running"}),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  client.send(SIGINT);
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
  ASSERT_TRUE(eventually([&] { return processes("worker").empty(); })) << list_of_processes();
  stop_session("s");
}

TEST_F(SessionMode, AJobThatGetsNoSlotsSaysSoAndFails) {
  start_session("s");  // two slots
  const Outcome outcome =
      in_session({"--parallelism", "3", "-D", "slot.request-timeout=300ms", "fail-if-it-runs"});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "3 slots")) << outcome.text();
  stop_session("s");
}

TEST_F(SessionMode, TwentyClientsAtOnceAreServed) {
  start_session("s");
  std::vector<std::unique_ptr<ChildProcess>> clients;
  const int count = scaled(20, 5);
  for (int i = 0; i < count; ++i)
    clients.push_back(std::make_unique<ChildProcess>(
        line({"--target=standalone-session", "jobs", "1"}), surroundings()));
  for (const auto& client : clients) {
    const Outcome outcome = client->wait(120);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
  }
  const auto applications = fr_json({"list"});
  EXPECT_EQ(applications.size(), static_cast<std::size_t>(count));
  for (const auto& each : applications) EXPECT_EQ(each["status"], "finished");
  stop_session("s");
}

TEST_F(SessionMode, APortThatIsTakenIsNamedAndNothingIsLeft) {
  start_session("s");
  const std::string endpoint =
      nlohmann::json::parse(text_of_file(folder() + "/clusters/s.json"))["endpoint"];
  const Outcome outcome =
      fr({"cluster", "start", "--cluster-id=t", "-D", "jobmanager.bind=" + endpoint});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_TRUE(says(outcome, endpoint)) << outcome.text();
  EXPECT_TRUE(eventually([&] { return processes("--cluster-id=t").empty(); }));
  EXPECT_EQ(fr({"list", "--cluster-id=t"}).code, 65);
  stop_session("s");
}

TEST_F(SessionMode, AnAddressWithoutKeysIsRefusedByNameBeforeItIsBound) {
  const std::string socket = temporary_ + "/socket";
  const auto refused = [&](const char* role, const std::string& definition) {
    const Outcome outcome = fr({role, "--cluster-id=t", "-D", definition});
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    const std::size_t equals = definition.find('=');
    EXPECT_TRUE(says(outcome, definition.substr(0, equals) + ": ")) << outcome.text();
    EXPECT_TRUE(says(outcome, "'" + definition.substr(equals + 1) + "'")) << outcome.text();
    EXPECT_TRUE(says(outcome, "write ")) << outcome.text();
  };
  refused("jobmanager", "jobmanager.bind=ipc://" + socket);
  refused("jobmanager", "jobmanager.bind=nonsense://x");
  refused("jobmanager", "taskmanager.bind=ipc://" + socket);
  refused("taskmanager", "taskmanager.bind=ipc://" + socket);
  refused("taskmanager", "taskmanager.bind=nonsense://x");
  refused("taskmanager", "taskmanager.bind=127.0.0.1:80");
  EXPECT_FALSE(std::filesystem::exists(socket));
  const Outcome started =
      fr({"cluster", "start", "--cluster-id=t", "-D", "jobmanager.bind=ipc://" + socket});
  EXPECT_EQ(started.code, 65) << started.text();
  EXPECT_TRUE(says(started, "jobmanager.bind: ")) << started.text();
  EXPECT_TRUE(eventually([&] { return processes("--cluster-id=t").empty(); }));
  EXPECT_FALSE(std::filesystem::exists(socket));
}

TEST_F(SessionMode, AHeartbeatThatIsSlowerThanItsTimeoutIsRefusedWithBoth) {
  for (const char* role : {"jobmanager", "taskmanager"}) {
    const Outcome outcome =
        fr({role, "--cluster-id=t", "-D", "heartbeat.interval=10s", "-D", "heartbeat.timeout=2s"});
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_TRUE(says(outcome, "heartbeat.timeout 2 s is not above heartbeat.interval 10 s"))
        << outcome.text();
  }
}

// Clients and runners are told by the job manager: with times of their own they would take it for
// dead each 5 s.
TEST_F(SessionMode, ClientsAndRunnersKeepToTheHeartbeatOfTheirCluster) {
  start_session("s", {"-D", "heartbeat.interval=30s", "-D", "heartbeat.timeout=90s"});
  ChildProcess client(line({"--target=standalone-session", "endless", scratch_ / "running"}),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  const double begin = now_seconds();
  while (now_seconds() - begin < 6.0) ::usleep(100'000);
  const Outcome log = fr({"logs"});
  EXPECT_EQ(log.output.find("heartbeat.timeout"), std::string::npos) << log.text();
  EXPECT_EQ(log.output.find("nothing came"), std::string::npos) << log.text();
  EXPECT_TRUE(client.running());
  client.send(SIGINT);
  EXPECT_EQ(client.wait(30).code, 130);
  stop_session("s");
}

TEST_F(SessionMode, OfTwoTaskManagersOfOneNameTheFirstEnds) {
  start_session("s", {"--task-managers", "0"});
  const Words command{path_from("FRESHET_TEST_FR"), "taskmanager", "--cluster-id=s", "--name=one"};
  ChildProcess first(command, surroundings());
  ASSERT_TRUE(eventually([&] {
    return fr_json({"cluster", "status"})["task_managers"].size() == 1;
  }));
  ChildProcess second(command, surroundings());
  const Outcome pushed_out = first.wait(30);
  EXPECT_EQ(pushed_out.code, 65) << pushed_out.text();
  EXPECT_TRUE(
      says(pushed_out, "another task manager 'one' has taken its place: give each its own --name"))
      << pushed_out.text();
  EXPECT_EQ(in_session({"jobs", "1"}).code, 0);
  EXPECT_TRUE(second.running());
  stop_session("s");
  EXPECT_EQ(second.wait(30).code, 0);
}

TEST_F(SessionMode, OfJobManagersThatAreStartedByHandAtOnceOneServes) {
  const Words command{path_from("FRESHET_TEST_FR"), "jobmanager", "--cluster-id=s"};
  std::vector<std::unique_ptr<ChildProcess>> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(std::make_unique<ChildProcess>(command, surroundings()));
  const auto running = [&] {
    return std::count_if(all.begin(), all.end(), [](const auto& each) { return each->running(); });
  };
  ASSERT_TRUE(eventually([&] { return running() == 1; })) << running() << " serve";
  ASSERT_TRUE(eventually([&] { return fr({"cluster", "status"}).code == 0; }));
  EXPECT_EQ(running(), 1);
  int refused = 0;
  for (const auto& each : all) {
    if (each->running()) continue;
    const Outcome outcome = each->wait(30);
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    EXPECT_TRUE(says(outcome, "cluster 's' is there already")) << outcome.text();
    ++refused;
  }
  EXPECT_EQ(refused, 4);
  stop_session("s");
}

TEST_F(SessionMode, LogsOfAClusterThatHasEndedAreThere) {
  start_session("s");
  EXPECT_EQ(in_session({"greet"}).code, 0);
  const std::string id = fr_json({"list"})[0]["id"];
  stop_session("s");
  EXPECT_TRUE(eventually([&] { return processes().empty(); }));
  EXPECT_EQ(fr({"logs", "--cluster-id=s", id}).output, "hello from main\n");
  const Outcome manager = fr({"logs", "--cluster-id=s"});
  EXPECT_NE(manager.output.find("has ended"), std::string::npos) << manager.text();
  const Outcome none = fr({"logs", "--cluster-id=s", "nobody"});
  EXPECT_EQ(none.code, 65);
  EXPECT_TRUE(says(none, "main-" + id)) << none.text();
}

TEST_F(SessionMode, AFollowedLogGoesOnToTheLastLineOfAClusterThatIsStopped) {
  start_session("s");
  ChildProcess follower({"/bin/sh", "-c", "exec \"$1\" logs -f > \"$2\"", "sh",
                         path_from("FRESHET_TEST_FR"), scratch_ / "followed"},
                        surroundings());
  ASSERT_TRUE(eventually(
      [&] { return text_of_file(scratch_ / "followed").find("listens") != std::string::npos; }));
  stop_session("s");
  const Outcome outcome = follower.wait(60);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(text_of_file(scratch_ / "followed"), text_of_file(folder() + "/logs/s/jobmanager.log"));
}

TEST_F(SessionMode, APlainProgramIsToldWhatToDo) {
  Surroundings around = surroundings();
  around.variables["FRESHET_EXECUTION_TARGET"] = "standalone";
  const Outcome whole = run({path_from("FRESHET_TEST_PLAIN_PROGRAM")}, around);
  EXPECT_NE(whole.code, 0);
  EXPECT_TRUE(says(whole, "fr-run APP --target=standalone")) << whole.text();
  EXPECT_TRUE(says(whole, "standalone-session")) << whole.text();
  start_session("s");
  around.variables["FRESHET_EXECUTION_TARGET"] = "standalone-session";
  const Outcome session = run({path_from("FRESHET_TEST_PLAIN_PROGRAM")}, around);
  EXPECT_NE(session.code, 0);
  EXPECT_TRUE(says(session, "shared")) << session.text();
  const auto application = fr_json({"list"})[0];
  EXPECT_EQ(application["name"], "plain_program");
  EXPECT_EQ(application["reason"], "main exited with 1") << application;
  stop_session("s");
}

// It may open files before it does anything with Freshet.
TEST_F(SessionMode, APlainProgramWithoutStandardStreamsPrintsIntoNoFile) {
  const std::string file = scratch_ / "opened-first";
  Surroundings around = surroundings();
  around.variables["FRESHET_EXECUTION_TARGET"] = "local";
  const Outcome outcome = run({"/bin/sh", "-c", "exec \"$0\" \"$1\" <&- >&- 2>&-",
                               path_from("FRESHET_TEST_PLAIN_PROGRAM"), file},
                              around);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_TRUE(std::filesystem::exists(file));
  EXPECT_EQ(text_of_file(file), "");
}

TEST_F(SessionMode, WithoutAHomeTheTemporaryFolderServes) {
  Surroundings around = surroundings();
  for (const char* name : {"XDG_STATE_HOME", "HOME", "XDG_CACHE_HOME"}) around.variables[name] = "";
  const Outcome outcome = run(line({"--target=standalone", "greet"}), around);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  const auto left = names_in(temporary_);
  ASSERT_FALSE(left.empty());
  const std::string state = temporary_ + "/freshet-" + std::to_string(::geteuid()) + "-state";
  EXPECT_TRUE(eventually([&] { return names_in(state + "/run").empty(); }));
  std::filesystem::remove_all(state);
}

TEST_F(SessionMode, AnEmptyValueIsBadUsageAndNoClusterIsTakenForIt) {
  start_session("s");
  const std::vector<Words> all{{"cluster", "stop", "--cluster-id", ""},
                               {"cluster", "stop", "--cluster-id="},
                               {"cluster", "start", "--target", ""},
                               {"cluster", "resize", ""},
                               {"list", "--cluster-id", ""},
                               {"list", "--wait-for-cluster", ""},
                               {"status", ""},
                               {"cancel", ""},
                               {"wait", ""},
                               {"logs", ""},
                               {"config", "--config", ""},
                               {"config", ""},
                               {"info", "--config", "", application_},
                               {"info", ""},
                               {"info", application_, "--parallelism", ""},
                               {"plugin", "inspect", ""},
                               {"plugin", "list", "--plugin-dir", ""},
                               {"new", "", "x"},
                               {"taskmanager", "--join", ""},
                               {"jobmanager", "--cluster-id", ""}};
  for (const Words& words : all) {
    const Outcome outcome = fr(words);
    EXPECT_EQ(outcome.code, 64) << words[0] << " " << words[1] << ": " << outcome.text();
  }
  const Outcome by_option = fr({"cluster", "stop", "-D", "cluster.id="});
  EXPECT_NE(by_option.code, 0) << by_option.text();
  EXPECT_EQ(fr({"cluster", "status"}).code, 0);
  stop_session("s");
}

TEST_F(SessionMode, ATargetThatIsNotASessionIsNotStarted) {
  const Outcome outcome = fr({"cluster", "start", "--target=standalone"});
  EXPECT_NE(outcome.code, 0);
  EXPECT_TRUE(says(outcome,
                   "--target=standalone is not a session, which 'fr cluster start' brings up: give "
                   "--target=standalone-session; 'fr-run APP --target=standalone' brings up a "
                   "cluster for one application"))
      << outcome.text();
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
  EXPECT_EQ(again.code, 65) << again.text();
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
  EXPECT_EQ(listed.code, 65);
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

TEST_F(SessionMode, TheListOfClustersTellsTheirStateAndWarnsOfThoseItCannotRead) {
  start_session("one");
  start_session("two");
  const std::string record = folder() + "/clusters/two.json";
  ::chmod(record.c_str(), 0644);
  const Outcome listed = fr({"cluster", "list"});
  ::chmod(record.c_str(), 0600);
  EXPECT_EQ(listed.code, 0) << listed.text();
  EXPECT_EQ(listed.output.find("one  standalone  session  running  tcp://"), 0u) << listed.text();
  EXPECT_EQ(listed.output.find("two"), std::string::npos) << listed.text();
  EXPECT_TRUE(says(listed, "warning: a cluster is left out: " + record)) << listed.text();
  stop_session("two");
  ::kill(process("jobmanager"), SIGKILL);
  EXPECT_TRUE(eventually([&] {
    return fr_json({"cluster", "list"})[0]["state"] == "without-job-manager";
  }));
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
}

TEST_F(SessionMode, CtrlCWhileNoClusterIsThereLeavesAtOnce) {
  ChildProcess waiting(line({"--target=standalone-session", "--wait-for-cluster=600s", "greet"}),
                       surroundings());
  // It is made by what waits.
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(folder() + "/clusters"); }));
  waiting.send(SIGINT);
  const Outcome outcome = waiting.wait(60);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
  EXPECT_FALSE(says(outcome, "canceling")) << outcome.text();
}

TEST_F(SessionMode, ATaskManagerThatIsNotToldWhichClusterSaysThatItsUsageIsBad) {
  const Outcome outcome = fr({"taskmanager", "--name=one"});
  EXPECT_EQ(outcome.code, 64) << outcome.text();
  EXPECT_TRUE(says(outcome, "which cluster? give --cluster-id=ID, or --join=FILE"))
      << outcome.text();
}

TEST_F(SessionMode, AStateFolderThatCannotBeWrittenIsNamed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  ::chmod(state_.c_str(), 0500);
  const Outcome outcome = fr({"cluster", "start"});
  ::chmod(state_.c_str(), 0700);
  EXPECT_EQ(outcome.code, 65) << outcome.text();
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
