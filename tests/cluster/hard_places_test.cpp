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
    const Outcome outcome = in_session({"jobs", "1"});
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

}  // namespace
