// What processes of ours inherit and hand on: streams, ignored signals, blocked signals; and what
// main may do to its own.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tuple>

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

TEST_F(Processes, AMainThatHasClosedAllDescriptorsEndsWithItsCode) {
  for (const std::string target : {"local", "standalone"}) {
    ChildProcess returns(words(target, {"close-all"}), surroundings());
    EXPECT_EQ(returns.wait(30).code, 0) << target;
    ChildProcess exits(words(target, {"close-all-and-exit"}), surroundings());
    EXPECT_EQ(exits.wait(30).code, 3) << target;
    // Meanwhile libzmq finds its descriptors closed, at the latest for the next heartbeat.
    ChildProcess goes_on(words(target, {"-D", "heartbeat.interval=20ms", "close-all-and-go-on"}),
                         surroundings());
    const Outcome outcome = goes_on.wait(30);
    EXPECT_EQ(outcome.code, 0) << target << outcome.text();
  }
  ChildProcess throws(words("standalone", {"close-all-and-throw"}), surroundings());
  const Outcome outcome = throws.wait(30);
  EXPECT_EQ(outcome.code, 71) << outcome.text();
  EXPECT_TRUE(says(outcome, "main threw: nothing is open")) << outcome.text();
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
  // It is there before its number is written.
  ASSERT_TRUE(
      eventually([&] { return std::filesystem::exists(runs) && !text_of_file(runs).empty(); }));
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

constexpr const char* kAnHourBetweenAttempts[] = {"-Drestart-strategy.type=fixed-delay",
                                                  "-Drestart-strategy.fixed-delay.delay=1 h"};

class ForkedChildren : public Processes {
 protected:
  // Of main, while its job runs and while it waits for its next attempt.
  Outcome child_of_main(const std::string& target, const std::string& what, bool restarting) {
    std::filesystem::remove_all(output_);
    Words all;
    if (restarting)
      all.assign(std::begin(kAnHourBetweenAttempts), std::end(kAnHourBetweenAttempts));
    all.insert(all.end(), {what, output_});
    if (restarting) all.emplace_back("restarting");
    return run(words(target, all), surroundings());
  }
};

TEST_F(ForkedChildren, OfMainMayExit) {
  for (const std::string target : {"local", "standalone"}) {
    for (const bool restarting : {false, true}) {
      const Outcome outcome = child_of_main(target, "fork-and-exit", restarting);
      EXPECT_NE(outcome.output.find("the child exited with 5\n"), std::string::npos)
          << target << restarting << outcome.text();
    }
  }
}

TEST_F(ForkedChildren, OfMainAreRefusedAJobByName) {
  for (const std::string target : {"local", "standalone"}) {
    for (const bool restarting : {false, true}) {
      const Outcome outcome = child_of_main(target, "fork-and-run-a-job", restarting);
      EXPECT_NE(outcome.output.find("a job can't be run in this process"), std::string::npos)
          << target << restarting << outcome.text();
      EXPECT_NE(outcome.output.find("the child exited with 7\n"), std::string::npos)
          << target << restarting << outcome.text();
    }
  }
}

TEST_F(ForkedChildren, OfMainAreRefusedTheJobOfTheirParentByName) {
  for (const std::string target : {"local", "standalone"}) {
    const Outcome outcome = child_of_main(target, "fork-and-ask", false);
    EXPECT_NE(outcome.output.find("can't be reached in this process"), std::string::npos)
        << target << outcome.text();
    EXPECT_NE(outcome.output.find("the child exited with 4\n"), std::string::npos)
        << target << outcome.text();
  }
}

TEST_F(ForkedChildren, OfMainBehindALocalJobRunJobsOfTheirOwn) {
  const Outcome outcome = run(words("local", {"fork-behind-a-job"}), surroundings());
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output.find("the child exited with 7\n"), std::string::npos) << outcome.text();
  std::size_t ran = 0;
  const std::string good = "the child exited with 5\n";
  for (std::size_t at = 0; (at = outcome.output.find(good, at)) != std::string::npos; ++at) ++ran;
  EXPECT_EQ(ran, 20u) << outcome.text();
}

TEST_F(ForkedChildren, OfAnOperatorEndWithTheirCodeAndNeverGoOnInTheJob) {
  for (const std::string target : {"local", "standalone"}) {
    for (const auto& [end, code, message] :
         {std::tuple{"exit", 5, ""}, std::tuple{"_exit", 6, ""},
          std::tuple{"throw", 1, "of a job forked threw 'by the child'"},
          std::tuple{"return", 1, "of a job forked returned from its operator"}}) {
      std::filesystem::remove_all(output_);
      const Outcome outcome =
          run(words(target, {"fork-in-an-operator", end, output_}), surroundings());
      EXPECT_EQ(outcome.code, 0) << target << end << outcome.text();
      EXPECT_EQ(written(), "1\n2\n3\n") << target << end << outcome.text();
      if (target != "local") continue;  // a worker's output is in its log
      EXPECT_NE(outcome.output.find("the child exited with " + std::to_string(code) + "\n"),
                std::string::npos)
          << end << outcome.text();
      EXPECT_NE(outcome.errors.find(message), std::string::npos) << end << outcome.text();
    }
  }
}

}  // namespace
