#include "process/child_processes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "control_queue.h"
#include "freshet/error.h"
#include "other_processes.h"
#include "scratch_folder.h"
#include "strangers.h"

namespace freshet::core {
namespace {

using testing::ControlQueue;
using testing::ends;
using testing::LowDescriptorLimit;
using testing::names_in;
using testing::runs;
using testing::ScratchFolder;
using testing::text_of_file;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

pid_t id_once_started(const ChildProcesses& children, ProcessHandle handle) {
  for (int i = 0; i < 60'000; ++i) {
    if (const std::int64_t id = children.process_id(handle); id != 0) return static_cast<pid_t>(id);
    ::usleep(1000);
  }
  ADD_FAILURE() << "it has not started within a minute";
  return 0;
}

std::size_t open_descriptors() { return names_in("/proc/self/fd").size(); }

class ChildProcessesTest : public ::testing::Test {
 protected:
  struct Told {
    bool ended = false;
    ProcessEnd end;
  };

  ProcessHandle shell(const std::string& name, const std::string& script, Told& told,
                      const std::string& inherited = {}) {
    return children_.spawn({name, {"/bin/sh", "-c", script}, {{"GREETING", "hello"}}, inherited},
                           [&told](ProcessEnd end) {
                             EXPECT_FALSE(told.ended);
                             told.ended = true;
                             told.end = std::move(end);
                           });
  }
  ProcessEnd end_of(Told& told) {
    EXPECT_TRUE(control_.run_until([&] { return told.ended; }));
    return told.end;
  }
  ProcessEnd run(const std::string& script, const std::string& inherited = {}) {
    Told told;
    shell("child", script, told, inherited);
    return end_of(told);
  }
  // The number that a script writes into a file.
  pid_t number_in(const std::string& file) const {
    return static_cast<pid_t>(std::atoi(text_of_file(file).c_str()));
  }
  // Waits until the child has printed that.
  void wait_for_log(const std::string& name, const std::string& text) {
    for (int i = 0; i < 60'000; ++i) {
      if (contains(children_.read_log(name, 0).text, text)) return;
      ::usleep(1000);
    }
    FAIL() << "never printed: " << text;
  }

  ScratchFolder scratch_;
  ControlQueue control_;
  ChildProcesses children_{control_, {scratch_.path(), 16 * 1024, 3, true}};
};

TEST_F(ChildProcessesTest, TheEndIsToldWithItsExitCodeAndLastLines) {
  const ProcessEnd end = run("echo one; echo two >&2; exit 3");
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.signal, std::nullopt);
  EXPECT_EQ(end.last_lines, "one\ntwo\n");
  EXPECT_EQ(end.text(), "exited with 3");
  EXPECT_EQ(text_of_file(scratch_ / "child.log"), "one\ntwo\n");
}

TEST_F(ChildProcessesTest, WhatItSaysOfItsEndIsApartFromWhatItPrints) {
  const std::string text(100'000, 'a');  // more than a pipe holds
  const ProcessEnd end = run("echo out; head -c 100000 /dev/zero | tr '\\0' a >&4; exit 3");
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_EQ(end.last_lines, "out\n");
  EXPECT_TRUE(end.account == text) << end.account.size();
  EXPECT_EQ(run("echo no account").account, "");
}

TEST_F(ChildProcessesTest, ItsErrorsAreToldFromItsOutputIfThatIsWanted) {
  ProcessSpec spec{"both", {"/bin/sh", "-c", "echo one; echo two >&2"}, {}, {}};
  spec.separate_errors = true;
  Told told;
  children_.spawn(spec, [&told](ProcessEnd end) {
    told.ended = true;
    told.end = std::move(end);
  });
  end_of(told);
  const LogChunk log = children_.read_log("both", 0);
  ASSERT_EQ(log.errors.size(), 1u);
  const auto [begin, end] = log.errors[0];
  EXPECT_EQ(log.text.substr(begin, end - begin), "two\n");
  EXPECT_TRUE(contains(log.text, "one\n"));
}

TEST_F(ChildProcessesTest, TheEndIsToldWithItsSignal) {
  const ProcessEnd end = run("kill -SEGV $$");
  EXPECT_EQ(end.exit_code, std::nullopt);
  EXPECT_EQ(end.signal, SIGSEGV);
  EXPECT_EQ(end.text(), "killed by signal 11 (Segmentation fault)");
}

TEST_F(ChildProcessesTest, AProgramThatCannotBeStartedIsAnEndToo) {
  Told told;
  const ProcessHandle handle =
      children_.spawn({"none", {"/nowhere/program"}, {}, {}}, [&told](ProcessEnd end) {
        told.ended = true;
        told.end = std::move(end);
      });
  EXPECT_EQ(children_.process_id(handle), 0);
  const ProcessEnd end = end_of(told);
  EXPECT_EQ(end.exit_code, std::nullopt);
  EXPECT_TRUE(contains(end.last_lines, "/nowhere/program")) << end.last_lines;
  EXPECT_TRUE(contains(end.last_lines, "No such file")) << end.last_lines;
}

TEST_F(ChildProcessesTest, ThoseThatCannotBeStartedLeaveNoDescriptorOpen) {
  run("exit 0");
  const std::size_t before = open_descriptors();
  for (const char* const name : {"a", "b", "c", "d", "e", "f"}) {
    Told told;
    children_.spawn({name, {"/nowhere/program"}, {}, {}}, [&told](ProcessEnd end) {
      told.ended = true;
      told.end = std::move(end);
    });
    EXPECT_EQ(end_of(told).text(), "could not be started");
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ChildProcessesTest, StartingOneDoesNotWaitForWhatHoldsUpTheOthers) {
  const std::string pipe = scratch_ / "slow.log";  // opening it waits for a reader
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::vector<Told> told(21);
  shell("slow", "echo something", told[0]);
  std::thread reader;
  std::atomic<bool> all_asked_for = false;
  {
    // Only so that a failure ends, too.
    reader = std::thread([&] {
      for (int i = 0; i < 30'000 && !all_asked_for; ++i) ::usleep(1'000);
      EXPECT_TRUE(all_asked_for) << "the caller waits";
      std::ifstream(pipe).get();
    });
    for (std::size_t i = 1; i < told.size(); ++i) {
      shell("other", "exit 0", told[i]);
      ::usleep(10'000);
    }
    all_asked_for = true;
  }
  for (Told& each : told) EXPECT_EQ(end_of(each).exit_code, 0);
  reader.join();
}

TEST_F(ChildProcessesTest, OneThatIsKilledBeforeItHasStartedEndsToo) {
  for (int i = 0; i < 20; ++i) {
    Told told;
    children_.kill(shell("child", "sleep 1000", told));
    EXPECT_EQ(end_of(told).signal, SIGKILL);
  }
}

TEST_F(ChildProcessesTest, OneThatUsesMoreMemoryThanItMayIsKilledAndTheLimitIsTold) {
  ChildProcessesOptions options{scratch_.path()};
  options.memory = {MemorySize::megabytes(64), "some.memory"};
  ChildProcesses children(control_, options);
  Told modest, greedy;
  const auto note = [](Told& told) {
    return [&told](ProcessEnd end) {
      told.ended = true;
      told.end = std::move(end);
    };
  };
  children.spawn({"greedy", {"/bin/dd", "if=/dev/zero", "of=/dev/null", "bs=300M"}, {}, {}},
                 note(greedy));
  children.spawn({"modest", {"/bin/dd", "if=/dev/null", "of=/dev/null"}, {}, {}}, note(modest));
  const ProcessEnd end = end_of(greedy);
  EXPECT_EQ(end.signal, SIGKILL);
  EXPECT_TRUE(contains(end.text(),
                       "killed because it used more than 64 mb of memory, the limit of "
                       "some.memory"))
      << end.text();
  EXPECT_EQ(end_of(modest).exit_code, 0);
}

TEST_F(ChildProcessesTest,
       AChildHasDescriptorsThreeAndFourAndNoOtherAndOurEnvironmentWithWhatWasAdded) {
  const int open = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GT(open, 2);
  const std::string secret(200'000, 's');
  const ProcessEnd end =
      run("echo $GREETING $HOME; wc -c <&3; ls /proc/self/fd | tr '\\n' ' '; exec 3<&-", secret);
  ::close(open);
  const char* const home = std::getenv("HOME");
  const auto lines = testing::lines_of(end.last_lines);
  ASSERT_EQ(lines.size(), 3u) << end.last_lines;
  EXPECT_EQ(lines[0], std::string("hello ") + (home != nullptr ? home : ""));
  EXPECT_EQ(std::atoi(lines[1].c_str()), 200'000);
  EXPECT_EQ(lines[2], "0 1 2 3 4 5 ");  // 4 is its account, 5 the folder that ls reads
}

TEST_F(ChildProcessesTest, HasASessionOfItsOwnAndNoBlockedSignals) {
  sigset_t all, before;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  Told told;
  // Without a program: a shell blocks signals itself while it starts one.
  const ProcessHandle handle = shell(
      "child",
      "ps -o sid= -p $$; while read -r line; do case $line in SigBlk*) echo $line;; esac; done "
      "< /proc/$$/status",
      told);
  const std::int64_t id = children_.process_id(handle);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  const ProcessEnd end = end_of(told);
  if (id != 0) {
    EXPECT_TRUE(contains(end.last_lines, std::to_string(id)));
  }
  EXPECT_TRUE(contains(end.last_lines, "0000000000000000")) << end.last_lines;
}

TEST_F(ChildProcessesTest, IsAskedToEndOrKilled) {
  Told polite, stubborn;
  const ProcessHandle one = shell(
      "one", "trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done", polite);
  const ProcessHandle two =
      shell("two", "trap '' TERM; echo ready; while :; do sleep 1; done", stubborn);
  wait_for_log("one", "ready");
  wait_for_log("two", "ready");
  EXPECT_GT(children_.process_id(one), 0);
  children_.ask_to_end(one);
  EXPECT_EQ(end_of(polite).exit_code, 7);
  EXPECT_EQ(children_.process_id(one), 0);
  children_.kill(one);  // nothing
  children_.ask_to_end(two);
  EXPECT_FALSE(stubborn.ended);
  children_.kill(two);
  EXPECT_EQ(end_of(stubborn).signal, SIGKILL);
}

TEST_F(ChildProcessesTest, OthersAreKilledWhileOneWaitsForDescriptorsToStart) {
  Told running, waiting, doomed;
  const ProcessHandle one = shell("one", "echo ready; exec sleep 1000", running);
  wait_for_log("one", "ready");
  {
    const LowDescriptorLimit limit(16);  // what a child gets is copied above these
    shell("two", "exit 3", waiting);
    children_.kill(shell("three", "exec sleep 1000", doomed));
    children_.kill(one);
    EXPECT_EQ(end_of(running).signal, SIGKILL);
    EXPECT_FALSE(waiting.ended) << waiting.end.text();
  }
  EXPECT_EQ(end_of(waiting).exit_code, 3);
  EXPECT_EQ(end_of(doomed).signal, SIGKILL);
}

TEST_F(ChildProcessesTest, WhatItForkedEndsWithIt) {
  const ProcessEnd end = run("sleep 1000 & echo $! > " + (scratch_ / "forked") + "; exit 0");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_FALSE(runs(number_in(scratch_ / "forked")));
}

TEST_F(ChildProcessesTest, WhatItForkedIntoAnotherSessionEndsWithItToo) {
  const std::string file = scratch_ / "forked";
  const ProcessEnd end =
      run("setsid sh -c 'echo $$ > " + file + ".part; mv " + file + ".part " + file +
          "; sleep 1000; sleep 1000' & while [ ! -e " + file + " ]; do sleep 0.01; done; exit 0");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_FALSE(runs(number_in(file)));
}

TEST_F(ChildProcessesTest, OneThatWasKilledTakesWhatItForkedWithIt) {
  Told told;
  const ProcessHandle handle =
      shell("child", "setsid sleep 1000 & echo $!; sleep 1000 & echo $!; echo ready; wait", told);
  wait_for_log("child", "ready");
  children_.kill(handle);
  const ProcessEnd end = end_of(told);
  EXPECT_EQ(end.signal, SIGKILL);
  const auto lines = testing::lines_of(end.last_lines);
  ASSERT_GE(lines.size(), 3u);
  EXPECT_FALSE(runs(std::atoi(lines[0].c_str())));
  EXPECT_FALSE(runs(std::atoi(lines[1].c_str())));
}

TEST_F(ChildProcessesTest, ALotOfOutputNeitherBlocksItNorFillsTheDisk) {
  const ProcessEnd end = run("head -c 5000000 /dev/zero | tr '\\0' 'x'; echo; echo the end");
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_TRUE(contains(end.last_lines, "the end"));
  EXPECT_LE(end.last_lines.size(), 4096u);
  EXPECT_EQ(names_in(scratch_.path()), (std::vector<std::string>{"child.log", "child.log.1"}));
  EXPECT_LE(std::filesystem::file_size(scratch_ / "child.log"), 16u * 1024);
  EXPECT_LE(std::filesystem::file_size(scratch_ / "child.log.1"), 16u * 1024);
}

TEST_F(ChildProcessesTest, OneThatClosesItsOutputIsWatchedAllTheSame) {
  EXPECT_EQ(run("exec >&- 2>&-; sleep 0.05; exit 5").exit_code, 5);
}

TEST_F(ChildProcessesTest, TheLogsOfTheLastThatEndedAreKept) {
  for (const std::string name : {"a", "b", "c", "d"}) {
    Told told;
    shell(name, "echo I am " + name, told);
    end_of(told);
  }
  EXPECT_EQ(names_in(scratch_.path()), (std::vector<std::string>{"b.log", "c.log", "d.log"}));
  const LogChunk whole = children_.read_log("d", 0);
  EXPECT_EQ(whole.text, "I am d\n");
  EXPECT_FALSE(whole.ended);
  EXPECT_TRUE(children_.read_log("d", whole.next).ended);
  EXPECT_THROW(static_cast<void>(children_.read_log("a", 0)), InvalidInput);
  EXPECT_THROW(static_cast<void>(children_.read_log("../d", 0)), InvalidInput);
}

TEST_F(ChildProcessesTest, ManyAtOnceAreEachToldOnce) {
  std::vector<Told> told(60);
  for (std::size_t i = 0; i < told.size(); ++i)
    shell("child-" + std::to_string(i), "exit " + std::to_string(i), told[i]);
  for (std::size_t i = 0; i < told.size(); ++i)
    EXPECT_EQ(end_of(told[i]).exit_code, static_cast<int>(i));
}

// Each end looks through /proc, in which others come and go.
TEST_F(ChildProcessesTest, EndWhileProcessesOfOthersEnd) {
  std::atomic<bool> enough = false;
  std::vector<std::thread> others;
  for (int i = 0; i < 3; ++i)
    others.emplace_back([&] {
      char program[] = "/bin/true";
      char* const words[] = {program, nullptr};
      while (!enough) {
        pid_t process = 0;
        if (::posix_spawn(&process, program, nullptr, nullptr, words, environ) == 0)
          ::waitpid(process, nullptr, 0);
      }
    });
  for (int i = 0; i < 100; ++i) EXPECT_EQ(run("exit 3").exit_code, 3);
  enough = true;
  for (std::thread& other : others) other.join();
}

// As a plugin does, on a thread of its own.
TEST_F(ChildProcessesTest, LeavesWhatOthersHaveStartedToThem) {
  std::atomic<int> lost = 0;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      char program[] = "/bin/sh", option[] = "-c", script[] = "exit 3";
      char* const words[] = {program, option, script, nullptr};
      posix_spawnattr_t attributes;
      ::posix_spawnattr_init(&attributes);
      if (i % 2 == 1) ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
      pid_t process = 0;
      EXPECT_EQ(::posix_spawn(&process, program, nullptr, &attributes, words, environ), 0);
      ::posix_spawnattr_destroy(&attributes);
      siginfo_t facts{};
      ::waitid(P_PID, static_cast<id_t>(process), &facts, WEXITED | WNOWAIT);
      ::usleep(2'000);  // others have their chance
      int state = 0;
      if (::waitpid(process, &state, 0) != process || WEXITSTATUS(state) != 3) ++lost;
    }
  });
  for (int i = 0; i < 20; ++i) EXPECT_EQ(run("exit 5").exit_code, 5);
  other.join();
  EXPECT_EQ(lost, 0) << "of 100";
}

TEST_F(ChildProcessesTest, AnOrphanThatEndsWhileItsStarterRunsIsReaped) {
  Told told;
  const std::string file = scratch_ / "orphan";
  const ProcessHandle handle =
      shell("child", "sh -c 'sleep 0.05 & echo $!' > " + file + "; exec sleep 1000", told);
  pid_t orphan = 0;
  for (int i = 0; i < 60'000 && (orphan = number_in(file)) == 0; ++i) ::usleep(1'000);
  ASSERT_NE(orphan, 0);
  for (int i = 0; i < 60'000 && ::kill(orphan, 0) == 0; ++i) ::usleep(1'000);
  EXPECT_NE(::kill(orphan, 0), 0) << "a zombie is left";
  children_.kill(handle);
  EXPECT_EQ(end_of(told).signal, SIGKILL);
}

TEST_F(ChildProcessesTest, AChildEndsWhenThisProcessIsKilled) {
  const std::string file = scratch_ / "grandchild";
  const pid_t parent = ::fork();
  if (parent == 0) {
    ControlQueue control;
    ChildProcesses children(control, {scratch_.path(), 16 * 1024, 3, true});
    const ProcessHandle handle =
        children.spawn({"orphan", {"/bin/sleep", "1000"}, {}, {}}, [](ProcessEnd) {});
    std::ofstream(file + ".part") << id_once_started(children, handle);
    std::filesystem::rename(file + ".part", file);
    ::kill(::getpid(), SIGKILL);
  }
  ASSERT_GT(parent, 0);
  ASSERT_TRUE(ends(parent));
  EXPECT_TRUE(ends(number_in(file)));
}

TEST(ChildProcesses, EndWithTheirOwner) {
  ScratchFolder scratch;
  ControlQueue control;
  pid_t id = 0;
  {
    ChildProcesses children(control, {scratch.path(), 16 * 1024, 3, true});
    id = id_once_started(
        children, children.spawn({"long", {"/bin/sleep", "1000"}, {}, {}}, [](ProcessEnd) {}));
    EXPECT_TRUE(runs(id));
  }
  EXPECT_FALSE(runs(id));
}

}  // namespace
}  // namespace freshet::core
