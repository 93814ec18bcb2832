// samples/command_deployer as people run it: clusters whose processes are started by a command.
#include <gtest/gtest.h>
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "fr_run.h"
#include "rows.h"

namespace {

using namespace freshet::testing;
namespace fs = std::filesystem;

class CommandDeployer : public ::testing::Test {
 protected:
  CommandDeployer() {
    fs::create_symlink(path_from("FRESHET_TEST_COMMAND_DEPLOYER"), deployers_ / "command.so");
    fs::create_symlink(path_from("FRESHET_TEST_CLUSTER_EXECUTOR"), executors_ / "cluster.so");
  }
  ~CommandDeployer() override {
    for (const pid_t process : processes()) ::kill(process, SIGKILL);
  }

  Surroundings surroundings() const {
    Surroundings around = fr_run_.surroundings();
    around.variables["FRESHET_PLUGIN_PATH"] = executors_.path();
    around.variables["XDG_STATE_HOME"] = state_.path();
    around.variables["XDG_RUNTIME_DIR"] = sockets_.path();
    return around;
  }
  Outcome call(const std::string& program, std::vector<std::string> words) const {
    words.insert(words.begin(), program);
    return run(words, surroundings());
  }
  Outcome fr(const std::vector<std::string>& words) const {
    return call(path_from("FRESHET_TEST_FR"), words);
  }
  Outcome start(const std::vector<std::string>& more) const {
    std::vector<std::string> words{"cluster",      "start",           "--target=command-session",
                                   "--plugin-dir", deployers_.path(), "--cluster-id=c1"};
    words.insert(words.end(), more.begin(), more.end());
    return fr(words);
  }
  Outcome stop() const {
    return fr({"cluster", "stop", "--plugin-dir", deployers_.path(), "--cluster-id=c1"});
  }
  Outcome count_words(const std::vector<std::string>& flags) const {
    std::vector<std::string> words{path_from("FRESHET_TEST_WORD_COUNT"), "--plugin-dir",
                                   deployers_.path()};
    words.insert(words.end(), flags.begin(), flags.end());
    for (const std::string& word : {std::string("--input"), folder_.write("in", "a b a\nc a\n"),
                                    std::string("--output"), folder_ / "out"})
      words.push_back(word);
    return call(path_from("FRESHET_TEST_FR_RUN"), words);
  }

  // Those that keep their state where this test does: of its clusters, and what they have started.
  std::vector<pid_t> processes() const {
    const std::string wanted = "XDG_STATE_HOME=" + state_.path();
    std::vector<pid_t> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator("/proc", ignored)) {
      const std::string name = entry.path().filename();
      if (name.find_first_not_of("0123456789") != std::string::npos) continue;
      if (text_of_file(entry.path() / "environ").find(wanted) != std::string::npos)
        found.push_back(std::stoi(name));
    }
    return found;
  }
  void expect_nothing_left() const {
    EXPECT_TRUE(eventually([&] { return processes().empty(); }));
    EXPECT_EQ(names_in(state_.path()), (std::vector<std::string>{"freshet"}));
    EXPECT_TRUE(eventually([&] { return names_in(state_ / "freshet/run").empty(); }));
    for (const std::string& name : names_in(state_ / "freshet/clusters")) EXPECT_EQ(name, ".lock");
    EXPECT_TRUE(names_in(sockets_.path()).empty());
  }

  const ScratchFolder deployers_, executors_, state_, sockets_, folder_;
  const FrRun fr_run_;
};

const std::vector<std::string> kCounts{"a\t3", "b\t1", "c\t1"};

// It keeps no process ids, so it can't tell which of its task managers live.
TEST_F(CommandDeployer, SaysThatItDoesNotResizeAClusterThatRuns) {
  const Outcome started = start({"--slots=1", "-D", "resource-manager.max-task-managers=2"});
  ASSERT_EQ(started.code, 0) << started.text();
  const std::string why = "starts and ends no task managers of a cluster that runs";
  const Outcome refused = fr({"cluster", "resize", "2", "--plugin-dir", deployers_.path()});
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_NE(refused.errors.find("deployer 'command': cluster 'c1' can't be resized"),
            std::string::npos)
      << refused.text();
  EXPECT_NE(refused.errors.find(why), std::string::npos) << refused.text();
  const Outcome waited =
      count_words({"--target=command-session", "--parallelism=2", "-D", "slot.request-timeout=8s"});
  EXPECT_EQ(waited.code, 70) << waited.text();
  EXPECT_NE(waited.errors.find("were asked for in vain"), std::string::npos) << waited.text();
  EXPECT_NE(waited.errors.find(why), std::string::npos) << waited.text();
  EXPECT_EQ(stop().code, 0);
  expect_nothing_left();
}

TEST_F(CommandDeployer, BringsUpASessionRunsAJobOnItAndEndsIt) {
  const Outcome started = start({"--task-managers=2", "--slots=1"});
  ASSERT_EQ(started.code, 0) << started.text();
  EXPECT_EQ(started.output, "c1\n");
  EXPECT_EQ(processes().size(), 3u) << "a job manager and two task managers, and no shell";
  EXPECT_EQ(names_in(state_.path()), (std::vector<std::string>{"freshet"}))
      << "what was handed over is taken";

  const Outcome outcome = count_words({"--target=command-session", "--parallelism=2"});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(sorted_rows(folder_ / "out", 2), kCounts);

  const Outcome stopped = stop();
  EXPECT_EQ(stopped.code, 0) << stopped.text();
  expect_nothing_left();
}

// What it has brought up beside the processes is gone with them only if it is asked for that.
TEST_F(CommandDeployer, IsAskedToEndWhatThereWasAlsoAfterAnOrderlyEndAndFindsTheDetails) {
  const std::string lines = folder_ / "lines";
  const std::string noting = folder_.write(
      "noting", "#!/bin/sh\necho \"$1\" | tr '\\n' ' ' >> " + lines + "\nexec sh -c \"$1\"\n");
  fs::permissions(noting, fs::perms::owner_all);
  const Outcome started = start({"-Dcommand-deployer.command=" + noting + " {}"});
  ASSERT_EQ(started.code, 0) << started.text();
  const auto size = fs::file_size(lines);
  const Outcome stopped = stop();
  EXPECT_EQ(stopped.code, 0) << stopped.text();
  EXPECT_NE(stopped.output.find("cluster 'c1' has ended"), std::string::npos) << stopped.text();
  EXPECT_GT(fs::file_size(lines), size) << "the command of the record's details was not run";
  expect_nothing_left();
}

TEST_F(CommandDeployer, IsNeededToStopItsClusterWhichIsLeftAsItIsWithout) {
  ASSERT_EQ(start({"--slots=1"}).code, 0);
  const Outcome refused = fr({"cluster", "stop", "--cluster-id=c1"});
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_NE(refused.errors.find("cluster 'c1' is left as it is, because its deployer 'command' is "
                                "needed to end it, and its plugin is not found: install it, or "
                                "give its folder by --plugin-dir\n"),
            std::string::npos)
      << refused.text();
  EXPECT_NE(refused.errors.find("looked in: "), std::string::npos) << refused.text();
  const Outcome resized = fr({"cluster", "resize", "--cluster-id=c1", "2"});
  EXPECT_EQ(resized.code, 65) << resized.text();
  EXPECT_NE(resized.errors.find("is needed to resize it, and its plugin is not found"),
            std::string::npos)
      << resized.text();
  EXPECT_EQ(fr({"cluster", "status", "--cluster-id=c1"}).code, 0);
  EXPECT_EQ(stop().code, 0);
  expect_nothing_left();
}

TEST_F(CommandDeployer, BringsUpAClusterForOneApplicationInAnotherSession) {
  // As a login on another host: a new environment, and only a line gets there.
  const std::string elsewhere =
      folder_.write("elsewhere",
                    "#!/bin/sh\n[ \"$1\" = host ] || exit 255\nexec env -i PATH=\"$PATH\" "
                    "FRESHET_PLUGIN_PATH=\"$FRESHET_PLUGIN_PATH\" sh -c \"$2\" 3<&-\n");
  fs::permissions(elsewhere, fs::perms::owner_all);
  const Outcome outcome =
      count_words({"--target=command", "-Dcommand-deployer.command=" + elsewhere + " host {}"});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(sorted_rows(folder_ / "out", 1), kCounts);
  expect_nothing_left();
}

TEST_F(CommandDeployer, EndsAClusterWhoseJobManagerWasKilled) {
  const Outcome started = start({"-Dcommand-deployer.command=exec {words}"});
  ASSERT_EQ(started.code, 0) << started.text();
  const Outcome status = fr({"cluster", "status", "--json"});
  ASSERT_EQ(status.code, 0) << status.text();
  ASSERT_EQ(::kill(nlohmann::json::parse(status.output).at("process").get<pid_t>(), SIGKILL), 0);

  const Outcome stopped = stop();
  EXPECT_EQ(stopped.code, 0) << stopped.text();
  EXPECT_NE(stopped.output.find("cluster 'c1' was killed"), std::string::npos) << stopped.text();
  expect_nothing_left();
}

TEST_F(CommandDeployer, TellsWhyTheJobManagerDidNotComeAndLeavesNothing) {
  const Outcome started = start({"-Djobmanager.bind=tcp://192.0.2.1:*"});
  EXPECT_NE(started.code, 0);
  EXPECT_NE(started.errors.find("the job manager of cluster 'c1' has ended before it could be "
                                "reached"),
            std::string::npos)
      << started.text();
  EXPECT_NE(started.errors.find("192.0.2.1"), std::string::npos) << started.text();
  expect_nothing_left();
}

TEST_F(CommandDeployer, RefusesACommandWithoutAPlaceForTheProcess) {
  const Outcome started = start({"-Dcommand-deployer.command=ssh host"});
  EXPECT_EQ(started.code, 65) << started.text();
  EXPECT_NE(started.errors.find("with {} or {words} where the process stands"), std::string::npos)
      << started.text();
  EXPECT_TRUE(names_in(state_.path()).empty());
}

TEST_F(CommandDeployer, SaysWhereItLookedForAClusterThatIsNotThere) {
  const Outcome outcome = count_words({"--target=command-session", "-Dcluster.id=nowhere"});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_NE(outcome.errors.find("clusters/nowhere.json"), std::string::npos) << outcome.text();
}

}  // namespace
