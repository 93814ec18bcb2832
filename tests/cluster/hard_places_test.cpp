// Clusters where a host gives them little: full disks, homes that can't be written to, odd names.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;
namespace fs = std::filesystem;

class HardPlaces : public ClusterTest {
 protected:
  static constexpr uid_t kNobody = 65534;
};

TEST_F(HardPlaces, ADiskThatIsFullFailsTheUploadByNameAndTheClusterGoesOnOnceThereIsRoom) {
  const Words other_mounts{"/usr/bin/unshare", "-rm", "/bin/sh", "-c"};
  const auto in_other_mounts = [&](const std::string& script) {
    Words words = other_mounts;
    for (const std::string& word : {script, std::string("sh"), path_from("FRESHET_TEST_FR"),
                                    path_from("FRESHET_TEST_FR_RUN"), application_, state_})
      words.push_back(word);
    return run(words, surroundings());
  };
  const std::string mount = "mount -t tmpfs -o size=16m none \"$4\"";
  if (in_other_mounts(mount).code != 0) GTEST_SKIP() << "nothing can be mounted here";
  const Outcome outcome = in_other_mounts(mount +
                                          R"( || exit 1
      "$1" cluster start --cluster-id=full --slots 1 || exit 2
      cat /dev/zero > "$4/filler" 2> /dev/null
      "$2" "$3" --target=standalone-session greet; echo "full: $?"
      "$1" cluster status > /dev/null; echo "status: $?"
      ls "$4/freshet/run/full/jobmanager/blobs" "$4/freshet/run/full/jobmanager/apps" 2> /dev/null
      rm "$4/filler"
      "$2" "$3" --target=standalone-session greet; echo "room: $?"
      "$1" cluster stop --cluster-id=full)");
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_TRUE(says(outcome, "No space left on device: make room there")) << outcome.text();
  EXPECT_EQ(outcome.output.find("full: 0"), std::string::npos) << outcome.text();
  EXPECT_NE(outcome.output.find("status: 0"), std::string::npos) << outcome.text();
  EXPECT_EQ(outcome.output.find(".part-"), std::string::npos) << outcome.text();
  EXPECT_NE(outcome.output.find("hello from main\nroom: 0"), std::string::npos) << outcome.text();
}

TEST_F(HardPlaces, AFileThatCantGrowFailsTheUploadByNameAndTheJobManagerGoesOn) {
  ChildProcess manager({"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh",
                        path_from("FRESHET_TEST_FR"), "jobmanager", "--cluster-id=small"},
                       surroundings());
  ASSERT_TRUE(eventually([&] { return fr({"cluster", "status"}).code == 0; }));
  for (int i = 0; i < 2; ++i) {
    const Outcome outcome = in_session({"greet"});
    EXPECT_NE(outcome.code, 0);
    EXPECT_TRUE(says(outcome, "File too large: make room there")) << outcome.text();
    EXPECT_TRUE(names_in(folder() + "/run/small/jobmanager/blobs").empty());
  }
  EXPECT_EQ(fr({"cluster", "status"}).code, 0);
  stop_session("small");
  EXPECT_EQ(manager.wait(30).code, 0);
}

TEST_F(HardPlaces, ATaskManagerThatCantKeepAFileFailsTheJobByNameAndGoesOn) {
  start_session("small", {"--task-managers", "0"});
  ChildProcess manager(
      {"/bin/sh", "-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh",
       path_from("FRESHET_TEST_FR"), "taskmanager", "--cluster-id=small", "--name=tm"},
      surroundings());
  for (int i = 0; i < 2; ++i) {
    // Another task manager might have room: it is waited for.
    const Outcome outcome = in_session({"-D", "slot.request-timeout=1500ms", "jobs", "1"});
    EXPECT_NE(outcome.code, 0);
    EXPECT_TRUE(says(outcome, "File too large: make room there")) << outcome.text();
    EXPECT_TRUE(names_in(folder() + "/run/small/tm/blobs").empty());
  }
  EXPECT_EQ(fr_json({"cluster", "status"})["task_managers"][0]["id"], "tm");
  stop_session("small");
  EXPECT_EQ(manager.wait(30).code, 0);
}

TEST_F(HardPlaces, AHomeThatCantBeWrittenToIsNamedAndAnotherStateFolderServes) {
  Surroundings around = surroundings();
  const std::string home = scratch_ / "home";
  fs::create_directories(home);
  ::chmod(home.c_str(), 0555);
  ::chmod(scratch_.path().c_str(), 0755);
  if (::geteuid() == 0) {
    around.user = kNobody;
    for (const std::string& folder : {state_, temporary_})
      ASSERT_EQ(::chown(folder.c_str(), kNobody, kNobody), 0);
  }
  around.variables["HOME"] = home;
  for (const char* name : {"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"})
    around.variables[name] = "";
  if (run({path_from("FRESHET_TEST_FR"), "--version"}, around).code != 0)
    GTEST_SKIP() << "another user can't run this build";

  Surroundings without = around;
  without.variables["XDG_STATE_HOME"] = "";
  const Outcome refused = run(line({"--target=standalone", "greet"}), without);
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_TRUE(says(refused, home)) << refused.text();
  EXPECT_TRUE(says(refused, "XDG_STATE_HOME")) << refused.text();

  const Outcome outcome = run(line({"--target=standalone", "jobs", "1"}), around);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_TRUE(names_in(home).empty());
}

TEST_F(HardPlaces, RunnersAndWorkersThatUseMoreMemoryThanTheyMayAreKilledAndSoItIsSaid) {
  start_session("m",
                {"-D", "jobmanager.memory.runner=200m", "-D", "taskmanager.memory.worker=200m"});
  const Outcome main = in_session({"use-memory"});
  EXPECT_EQ(main.code, 128 + SIGKILL) << main.text();
  EXPECT_TRUE(says(main,
                   "main was killed because it used more than 200 mb of memory, the limit of "
                   "jobmanager.memory.runner"))
      << main.text();
  const Outcome task = in_session({"use-memory-in-a-task"});
  EXPECT_EQ(task.code, 70) << task.text();
  EXPECT_TRUE(says(task,
                   "killed because it used more than 200 mb of memory, the limit of "
                   "taskmanager.memory.worker"))
      << task.text();
  EXPECT_EQ(in_session({"jobs", "1"}).code, 0) << "less is enough for others";
  const std::string logs = folder() + "/logs/m/";
  EXPECT_NE(text_of_file(logs + "jobmanager.log").find("jobmanager.memory.runner limits each to"),
            std::string::npos);
  stop_session("m");
}

TEST_F(HardPlaces, AModuleThatTakesLongerToLoadThanAHeartbeatMayIsWaitedFor) {
  Surroundings around = surroundings();
  around.variables["FRESHET_TEST_SLOW_TO_LOAD"] = "10";
  const Outcome outcome = run(line({"--target=standalone", "-D", "heartbeat.interval=500ms", "-D",
                                    "heartbeat.timeout=4s", "jobs", "1"}),
                              around);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
}

// As containers of one name have: the same path is another folder there.
TEST_F(HardPlaces, TaskManagersOfOneHostNameThatShareNoSocketFolderMeetOverTheNetwork) {
  const Words other_mounts{"/usr/bin/unshare", "-rm", "/bin/sh", "-c"};
  const auto apart = [&](const std::string& script) {
    Words words = other_mounts;
    for (const std::string& word :
         {"mount -t tmpfs none \"$0\" && " + script, temporary_, path_from("FRESHET_TEST_FR"),
          folder() + "/run/apart/join.json"})
      words.push_back(word);
    return words;
  };
  if (run(apart("true"), surroundings()).code != 0) GTEST_SKIP() << "nothing can be mounted here";
  for (const Words& network :
       {Words{"-D", "taskmanager.bind=127.0.0.1"}, Words{"-D", "taskmanager.bind=::1"},
        Words{"-D", "taskmanager.bind=0.0.0.0"},
        Words{"-D", "taskmanager.bind=[::]", "-D", "taskmanager.host=::1"}}) {
    SCOPED_TRACE(network.back());
    if (network.back().ends_with("::1") && text_of_file("/proc/net/if_inet6").empty()) continue;
    Words more{"-D", "taskmanager.slots=1"};
    more.insert(more.end(), network.begin(), network.end());
    start_session("apart", more);
    ChildProcess other(apart("exec \"$1\" taskmanager --join=\"$2\" --name=other -D "
                             "taskmanager.slots=1 " +
                             network[0] + " '" + network[1] + "'" +
                             (network.size() > 2 ? " -D " + network[3] : "")),
                       surroundings());
    EXPECT_TRUE(eventually([&] {
      return fr_json({"cluster", "status"})["task_managers"].size() == 2;
    }));
    const Outcome outcome = in_session({"--parallelism", "2", "collect", "1000"});
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_NE(outcome.output.find("1000 rows, 1001000"), std::string::npos) << outcome.text();
    stop_session("apart");
    EXPECT_EQ(other.wait(30).code, 0);
  }
}

// Its socket files are nothing to a main that runs elsewhere.
TEST_F(HardPlaces, RowsOfATaskManagerThatSharesNoSocketFolderAreCollectedOverTheNetwork) {
  const auto apart = [&](const std::string& script) {
    return Words{"/usr/bin/unshare",
                 "-rm",
                 "/bin/sh",
                 "-c",
                 "mount -t tmpfs none \"$0\" && " + script,
                 temporary_,
                 path_from("FRESHET_TEST_FR"),
                 folder() + "/run/rows/join.json"};
  };
  if (run(apart("true"), surroundings()).code != 0) GTEST_SKIP() << "nothing can be mounted here";
  start_session("rows", {"--task-managers", "0"});
  ChildProcess other(apart("exec \"$1\" taskmanager --join=\"$2\" --name=other -D "
                           "taskmanager.bind=0.0.0.0"),
                     surroundings());
  const Outcome outcome = in_session({"collect", "1000"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_NE(outcome.output.find("1000 rows, 1001000"), std::string::npos) << outcome.text();
  stop_session("rows");
  EXPECT_EQ(other.wait(30).code, 0);
}

TEST_F(HardPlaces, ApplicationsFilesAndOutputMayHaveAnyNames) {
  const std::string folder = scratch_ / "ein Ördner, 日本 'q' $x";
  fs::create_directories(folder);
  const std::string application = folder + "/wörd cöunt 1.so";
  fs::copy_file(word_count_, application);
  scratch_.write(fs::path(folder).filename().native() + "/in put/ä.txt", "to be or not to be\n");
  start_session("s");
  const Outcome outcome =
      in_session({application, "--input", folder + "/in put", "--output", folder + "/öut put"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_FALSE(names_in(folder + "/öut put").empty());
  const Outcome list = fr({"list"});
  EXPECT_NE(list.output.find("wörd cöunt 1.so"), std::string::npos) << list.text();
  stop_session("s");
}

TEST_F(HardPlaces, BytesThatAreNoTextDoNotKeepProgramsFromReadingWhatThereIs) {
  const std::string file = scratch_ / "w\xff.so";
  fs::copy_file(application_, file);
  start_session("s");
  const Outcome thrown = in_session({file, "throw", "bad \xff"});
  EXPECT_EQ(thrown.code, 71) << thrown.text();
  EXPECT_EQ(in_session({file, "fail", "bad \xff"}).code, 70);
  const auto applications = fr_json({"list"});
  ASSERT_EQ(applications.size(), 2u);
  EXPECT_EQ(applications[0]["name"], "w\xEF\xBF\xBD.so");
  EXPECT_EQ(applications[0]["reason"], "main threw: bad \xEF\xBF\xBD");
  EXPECT_EQ(fr_json({"status", applications[0]["id"]}), applications[0]);
  const std::string job = applications[1]["jobs"][0]["id"];
  for (const std::string& id : {std::string(applications[0]["id"]), job}) {
    const Outcome waited = fr({"wait", "--json", id});
    EXPECT_EQ(waited.code, 70) << waited.text();
    EXPECT_NE(waited.output.find("bad \xEF\xBF\xBD"), std::string::npos) << waited.text();
  }
  stop_session("s");
}

TEST_F(HardPlaces, BytesOfAFailureDoNotSteerTheTerminalAndItsLinesAreIndented) {
  start_session("s");
  const Outcome thrown = in_session({"throw", "red \x1b[31m\nsecond"});
  EXPECT_TRUE(says(thrown, "red ?[31m\n  second\n")) << thrown.text();
  EXPECT_FALSE(says(thrown, "\x1b")) << thrown.text();
  const std::string id = fr_json({"list"})[0]["id"];
  for (const Words& words : {Words{"list"}, {"status", id}, {"wait", id}}) {
    const std::string shown = fr(words).output;
    EXPECT_NE(shown.find("\n    main threw: red ?[31m\n    second\n"), std::string::npos) << shown;
    EXPECT_EQ(shown.find('\x1b'), std::string::npos) << shown;
  }
  EXPECT_EQ(in_session({"fail", "red \x1b[31m"}).code, 70);
  const Outcome waited = fr({"wait", fr_json({"list"})[1]["jobs"][0]["id"]});
  EXPECT_NE(waited.output.find("red ?[31m"), std::string::npos) << waited.text();
  stop_session("s");
}

TEST_F(HardPlaces, AnOptionThatIsNoTextIsRefusedByNameBeforeAnythingIsStarted) {
  const std::string folder = scratch_ / "pl\xff";
  fs::create_directories(folder);
  const std::string told = "option 'plugin.dirs' ('" + (scratch_ / "pl?") + "', ";
  const Outcome session = fr({"cluster", "start", "-D", "plugin.dirs=" + folder});
  EXPECT_EQ(session.code, 65) << session.text();
  EXPECT_TRUE(says(session, told)) << session.text();
  const Outcome whole = application({"--plugin-dir", folder, "greet"});
  EXPECT_EQ(whole.code, 65) << whole.text();
  EXPECT_TRUE(says(whole, told)) << whole.text();
  EXPECT_EQ(fr_json({"cluster", "list"}).size(), 0u);
}

// What it opens first would have their numbers else, and be written to.
TEST_F(HardPlaces, ADaemonThatIsStartedWithoutStreamsWritesIntoNoFileOfItsOwn) {
  ChildProcess shell({"/bin/sh", "-c", "exec \"$0\" jobmanager --cluster-id=q <&- >&- 2>&-",
                      path_from("FRESHET_TEST_FR")},
                     surroundings());
  ASSERT_TRUE(eventually([&] { return fs::exists(folder() + "/clusters/q.json"); }));
  const std::string descriptors = "/proc/" + std::to_string(process("jobmanager")) + "/fd/";
  for (const char* stream : {"0", "1", "2"})
    EXPECT_EQ(fs::read_symlink(descriptors + stream), "/dev/null") << stream;
  shell.send(SIGTERM);
  EXPECT_EQ(shell.wait(30).code, 0);
}

}  // namespace
