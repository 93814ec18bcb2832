// What processes of ours inherit and hand on: streams, ignored signals, blocked signals; and what
// main may do to its own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class Processes : public ClusterTest {
 protected:
  Words words(const std::string& target, const Words& more) const {
    Words all{path_from("FRESHET_TEST_PROCESS_APPLICATION"), "--target=" + target};
    all.insert(all.end(), more.begin(), more.end());
    return line(all);
  }
  // By a shell, which runs `script` before: "$@" is the program.
  static Words by_shell(const std::string& script, const Words& program) {
    Words all{"/bin/sh", "-c", script, "sh"};
    all.insert(all.end(), program.begin(), program.end());
    return all;
  }
  std::string written() const {
    std::string all;
    for (const std::string& name : names_in(output_)) all += text_of_file(output_ + "/" + name);
    return all;
  }
  const std::string output_ = scratch_ / "out";
};

// ---- main closes descriptors --------------------------------------------------------------------

TEST_F(Processes, ARunnerWhoseMainHasClosedAllDescriptorsEnds) {
  ChildProcess returns(words("standalone", {"close-all"}), surroundings());
  EXPECT_EQ(returns.wait(30).code, 0);
  ChildProcess exits(words("standalone", {"close-all-and-exit"}), surroundings());
  EXPECT_EQ(exits.wait(30).code, 3);
}

// ---- the standard streams -----------------------------------------------------------------------

TEST_F(Processes, WithoutStandardStreamsNothingThatIsPrintedGetsIntoFiles) {
  for (const std::string closed : {">&-", "2>&-", "<&- >&- 2>&-"}) {
    const Outcome outcome =
        run(by_shell("exec \"$@\" " + closed, words("local", {"print-and-write", "2000", output_})),
            surroundings());
    EXPECT_EQ(outcome.code, 0) << closed << outcome.text();
    const std::string text = written();
    EXPECT_NE(text.find("written\n"), std::string::npos) << closed;
    EXPECT_EQ(text.find("printed"), std::string::npos) << closed;
    std::filesystem::remove_all(output_);
  }
}

TEST_F(Processes, PrintWaitsForAPipeThatDoesNotBlock) {
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  Words program = words("local", {"--parallelism=2", "print-and-write", "20000"});
  std::vector<char*> argv;
  for (std::string& word : program) argv.push_back(word.data());
  argv.push_back(nullptr);
  const Surroundings around = surroundings();
  const pid_t child = ::fork();
  if (child == 0) {
    for (const auto& [name, value] : around.variables)
      value.empty() ? ::unsetenv(name.c_str()) : ::setenv(name.c_str(), value.c_str(), 1);
    ::dup2(ends[1], STDOUT_FILENO);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  // It has come to a full pipe before anything is read.
  EXPECT_TRUE(eventually([&] {
    pollfd writable{ends[1], POLLOUT, 0};
    return ::poll(&writable, 1, 0) == 0;
  }));
  ::close(ends[1]);
  std::string text;
  char block[4096];
  for (ssize_t got = 0; (got = ::read(ends[0], block, sizeof block)) > 0;)
    text.append(block, static_cast<std::size_t>(got));
  ::close(ends[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  std::size_t lines = 0;
  for (std::size_t at = 0; (at = text.find("> printed ", at)) != std::string::npos; ++at) ++lines;
  EXPECT_EQ(lines, 20'000u);
}

// ---- signals ------------------------------------------------------------------------------------

TEST_F(Processes, ADaemonThatIsStartedWithHangupIgnoredOutlivesIt) {
  ChildProcess manager(by_shell("trap '' HUP INT; exec \"$@\"",
                                {path_from("FRESHET_TEST_FR"), "jobmanager", "--cluster-id=h"}),
                       surroundings());
  EXPECT_TRUE(eventually([&] { return fr({"list", "--cluster-id=h"}).code == 0; }));
  manager.send(SIGHUP);
  manager.send(SIGINT);
  EXPECT_EQ(fr({"list", "--cluster-id=h"}).code, 0);
  EXPECT_TRUE(manager.running());
  manager.send(SIGTERM);
  EXPECT_EQ(manager.wait(30).code, 0);
}

TEST_F(Processes, AClientInTheBackgroundOutlivesTheInterruptOfItsShell) {
  const std::string runs = scratch_ / "runs";
  ChildProcess client(by_shell("trap '' INT; exec \"$@\"", words("local", {"wait", runs})),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(runs); }));
  client.send(SIGINT);
  const std::string status = content("/proc/" + text_of_file(runs) + "/status");
  EXPECT_NE(status.find("SigPnd:\t0000000000000000"), std::string::npos) << status;
  EXPECT_NE(status.find("ShdPnd:\t0000000000000000"), std::string::npos) << status;
  EXPECT_TRUE(client.running());
  client.send(SIGTERM);
  EXPECT_EQ(client.wait(30).code, 130);
}

TEST_F(Processes, WhatMainStartsHasNoSignalsBlocked) {
  for (const std::string target : {"local", "standalone"}) {
    const Outcome outcome = run(words(target, {"mask-of-a-child"}), surroundings());
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_NE(outcome.output.find("SigBlk:\t0000000000000000"), std::string::npos)
        << target << outcome.text();
  }
}

// ---- forked children ----------------------------------------------------------------------------

TEST_F(Processes, AChildThatIsForkedWhileAJobRunsMayExit) {
  for (const std::string target : {"local", "standalone"}) {
    const Outcome outcome = run(words(target, {"fork-and-exit", output_}), surroundings());
    EXPECT_NE(outcome.output.find("the child exited with 5\n"), std::string::npos)
        << target << outcome.text();
    std::filesystem::remove_all(output_);
  }
}

TEST_F(Processes, AChildThatIsForkedWhileAJobRunsIsRefusedAJobByName) {
  for (const std::string target : {"local", "standalone"}) {
    const Outcome outcome = run(words(target, {"fork-and-run-a-job", output_}), surroundings());
    EXPECT_NE(outcome.output.find("a job can't be run in this process"), std::string::npos)
        << target << outcome.text();
    EXPECT_NE(outcome.output.find("the child exited with 7\n"), std::string::npos)
        << target << outcome.text();
    std::filesystem::remove_all(output_);
  }
}

}  // namespace
