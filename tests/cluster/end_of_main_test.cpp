// How a main ends and what becomes of its jobs: the table of "Applications and jobs" in
// docs/users/clusters.md, which is the same wherever main and its jobs run.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

const std::string kLocal = "--target=local", kCluster = "--target=standalone";

struct End {
  const char* name;
  std::vector<std::string> words;  // DIR: a folder of the test's own
  int code;
  const char* told;  // a part of it
};

class EndOfMain : public ClusterTest {
 protected:
  Words in_folder(Words words) const {
    for (std::string& word : words)
      if (word.rfind("DIR", 0) == 0) word.replace(0, 3, scratch_.path());
    return words;
  }
  // By a shell, whose line continues with `rest`.
  Words by_shell(const Words& words, const std::string& rest) const {
    std::string text = "exec";
    for (const std::string& word : line(words)) text += " '" + word + "'";
    return {"/bin/sh", "-c", text + " " + rest};
  }
};

class AnEnd : public EndOfMain,
              public ::testing::WithParamInterface<std::tuple<std::string, End>> {};

TEST_P(AnEnd, IsTheSameEverywhere) {
  const auto& [target, end] = GetParam();
  Words words = in_folder(end.words);
  words.insert(words.begin(), target);
  const Outcome outcome = fr_run(words);
  EXPECT_EQ(outcome.code, end.code) << outcome.text();
  EXPECT_TRUE(says(outcome, end.told)) << outcome.text();
}

const std::vector<std::string> kRestarts{"-D", "restart-strategy.type=fixed-delay",
                                         "-D", "restart-strategy.fixed-delay.attempts=2",
                                         "-D", "restart-strategy.fixed-delay.delay=1ms"};
std::vector<std::string> restarting(std::vector<std::string> words) {
  words.insert(words.begin(), kRestarts.begin(), kRestarts.end());
  return words;
}

INSTANTIATE_TEST_SUITE_P(
    OfMain, AnEnd,
    ::testing::Combine(
        ::testing::Values(kLocal, kCluster),
        ::testing::Values(
            End{"Return3", {"return", "3"}, 3, ""}, End{"Exit3", {"exit", "3"}, 3, ""},
            End{"Return256", {"return", "256"}, 70, "main returned 256"},
            End{"Exit256", {"exit", "256"}, 70, "main returned 256"},
            End{"ReturnMinus1", {"return", "-1"}, 255, "main returned -1"},
            End{"Throw", {"throw", "no luck"}, 71, "no luck"},
            End{"ThrowOfWhatLooksLikeARunnersWord",
                {"throw", "the reason\n[freshet] main was canceled"},
                71,
                "the reason"},
            End{"FailedJob", {"fail", "seven is bad"}, 70, "seven is bad"},
            End{"FailedJobThatMainCaught", {"fail-caught", "seven is bad"}, 70, "seven is bad"},
            End{"ThrowWhileAJobRuns", {"submit-and-throw", "DIR/runs"}, 71, "after submitting"},
            End{"ReturnOf3WhileAJobRuns", {"submit-and-return", "DIR/runs"}, 3, ""},
            End{"ExitOf3WhileAJobRuns", {"submit-and-exit", "DIR/runs"}, 3, ""},
            End{"CollectingIsBrokenOff", {"break-off"}, 0, ""},
            End{"MainCancelsItsJob", {"cancel-own", "DIR/runs"}, 0, ""},
            End{"MainCancelsItsJobAndLeavesWithThat",
                {"cancel-own-and-throw", "DIR/runs"},
                130,
                "canceled: job 'own' was canceled"},
            End{"ExitInATask", {"leave-a-task", "exit"}, 70, "called exit()"},
            End{"AwaitedExitInATask", {"leave-a-task", "exit-awaited"}, 70, "called exit()"},
            End{"ExitAtOnceInATask", {"leave-a-task", "_exit"}, 70, "called _exit()"},
            End{"ExitOfCAtOnceInATask", {"leave-a-task", "_Exit"}, 70, "called _Exit()"},
            End{"ExitOnAThreadOfATask", {"leave-a-task", "exit-thread"}, 70, "called exit()"},
            End{"ExitAtOnceOnAThreadOfATask",
                {"leave-a-task", "_exit-thread"},
                70,
                "called _exit()"},
            End{"QuickExitInATask", {"leave-a-task", "quick_exit"}, 70, "called quick_exit()"},
            End{"CanceledThrownInATask",
                {"leave-a-task", "canceled"},
                70,
                "though nobody has canceled the job: I have had enough"},
            End{"RestartThatHelps", restarting({"fail-at-first", "DIR", "3"}), 0, ""},
            End{"RestartsThatDoNotHelp", restarting({"fail-at-first", "DIR", "9"}), 70,
                "attempt 3 fails"})),
    [](const auto& end) {
      return (std::get<0>(end.param) == kLocal ? "Local" : "OnACluster") +
             std::string(std::get<1>(end.param).name);
    });

class Anywhere : public EndOfMain, public ::testing::WithParamInterface<std::string> {};
INSTANTIATE_TEST_SUITE_P(OfMain, Anywhere, ::testing::Values(kLocal, kCluster),
                         [](const auto& target) {
                           return target.param == kLocal ? "Local" : "OnACluster";
                         });

TEST_P(Anywhere, ExitOf0WaitsForAJobThatRunsOn) {
  const Outcome outcome = fr_run({GetParam(), "write-and-exit", scratch_ / "out"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_FALSE(names_in(scratch_ / "out").empty());
}

TEST_P(Anywhere, ARestartedJobHasItsOutputOnce) {
  const Outcome outcome = fr_run(in_folder(restarting({GetParam(), "fail-at-first", "DIR", "3"})));
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  std::size_t lines = 0;
  for (const std::string& part : names_in(scratch_ / "out"))
    lines += lines_of(text_of_file(scratch_ / "out/" + part)).size();
  EXPECT_EQ(lines, 10u);
}

TEST_P(Anywhere, MainsTwoStreamsAreThoseOfItsClient) {
  const std::string like_a_mark = "[freshet] main threw: not at all";
  const Outcome outcome = fr_run({GetParam(), "streams", like_a_mark});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "out 1\n" + like_a_mark + "\nout 2\n");
  EXPECT_EQ(outcome.errors.find("err 1\nerr 2\n"), 0u) << outcome.text();
  EXPECT_EQ(outcome.errors.find("out "), std::string::npos) << outcome.text();
}

TEST_P(Anywhere, OutputThatCanNotBeWrittenIsNoSuccess) {
  const Outcome full = run(by_shell({GetParam(), "print", "100000"}, ">/dev/full"), surroundings());
  EXPECT_EQ(full.code, 74) << full.text();
  EXPECT_TRUE(says(full, "can't write the standard output: No space left on device"))
      << full.text();
  const Outcome errors = run(by_shell({GetParam(), "streams", "x"}, "2>/dev/full"), surroundings());
  EXPECT_EQ(errors.code, 74) << errors.text();
  const Outcome own = run(by_shell({GetParam(), "return", "3"}, ">/dev/full"), surroundings());
  EXPECT_EQ(own.code, 3) << own.text();
}

TEST_P(Anywhere, ANonBlockingPipeIsWaitedFor) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
  ASSERT_EQ(::fcntl(ends[0], F_SETFD, FD_CLOEXEC), 0);
  const std::string number = std::to_string(ends[1]);
  const long bytes = 1'000'000;
  ChildProcess child(
      by_shell({GetParam(), "print", std::to_string(bytes)}, ">&" + number + " " + number + ">&-"),
      surroundings());
  ::close(ends[1]);
  // Nothing is read until the pipe is full: nothing more has come for a while.
  auto is_full = [pipe = ends[0], before = 0, unchanged = 0]() mutable {
    int waiting = 0;
    if (::ioctl(pipe, FIONREAD, &waiting) != 0) return false;
    unchanged = waiting == before && waiting > 0 ? unchanged + 1 : 0;
    before = waiting;
    return unchanged == 50;
  };
  EXPECT_TRUE(eventually(is_full));
  std::string all, block(65'536, '\0');
  for (ssize_t got = 0; (got = ::read(ends[0], block.data(), block.size())) > 0;)
    all.append(block, 0, static_cast<std::size_t>(got));
  ::close(ends[0]);
  const Outcome outcome = child.wait(30);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  const std::string last = "the last line\n";
  EXPECT_EQ(all.size(), bytes + last.size());
  EXPECT_EQ(all.substr(all.size() - last.size()), last);
}

// Rows of an attempt that has failed are nobody's; the reader gets those of the next one.
TEST_P(Anywhere, AJobIsRunAgainBeforeItsRowsAreRead) {
  const Outcome outcome =
      fr_run(in_folder(restarting({GetParam(), "fail-at-first-collecting", "DIR", "3"})));
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "55\n");
}

// More rows than may wait to be read.
TEST_F(EndOfMain, ALocalJobIsNotRunAgainOnceItsRowsAreRead) {
  const Outcome outcome =
      fr_run(in_folder(restarting({kLocal, "fail-at-first-collecting", "DIR", "2", "1000000"})));
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome,
                   "attempt 1 fails; it is not run again, because rows of it have been "
                   "read already"))
      << outcome.text();
}

TEST_F(EndOfMain, ALocalRestartThatIsWaitedForIsCanceledByCtrlC) {
  ChildProcess child(
      line(in_folder({kLocal, "-D", "restart-strategy.type=fixed-delay", "-D",
                      "restart-strategy.fixed-delay.delay=1h", "fail-at-first", "DIR", "9"})),
      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "attempt-1"); }));
  child.send(SIGINT);
  const Outcome outcome = child.wait(30);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
}

TEST_F(EndOfMain, AMainInTheClientMayBreakOffAndCancelItsOwn) {
  start_session("s");
  for (const Words& words : {Words{"break-off"}, Words{"cancel-own", scratch_ / "runs"}}) {
    Words all{"-D", "execution.main=client"};
    all.insert(all.end(), words.begin(), words.end());
    const Outcome outcome = in_session(all);
    EXPECT_EQ(outcome.code, 0) << outcome.text();
  }
  const auto list = fr_json({"list"});
  ASSERT_EQ(list.size(), 2u) << list;
  for (const auto& application : list) EXPECT_EQ(application["status"], "finished") << list;
  stop_session("s");
}

// Whether it waits for main, or runs it and waits for its job.
TEST_F(EndOfMain, OfAJobManagerThatRestartedIsUnknownToWhoWaits) {
  start_session("s");
  const std::string submitted = scratch_ / "submitted", own = scratch_ / "own";
  ChildProcess client(line({"--target=standalone-session", "endless", submitted}), surroundings());
  ChildProcess main_here(
      line({"--target=standalone-session", "-D", "execution.main=client", "endless", own}),
      surroundings());
  for (const std::string& runs : {submitted, own})
    ASSERT_TRUE(eventually([&] { return std::filesystem::exists(runs); }));
  ::kill(process("jobmanager"), SIGKILL);
  ASSERT_TRUE(eventually([&] { return processes("jobmanager").empty(); }));
  ChildProcess again({path_from("FRESHET_TEST_FR"), "jobmanager", "--cluster-id=s"},
                     surroundings());
  for (ChildProcess* each : {&client, &main_here}) {
    const Outcome outcome = each->wait(30);
    EXPECT_EQ(outcome.code, 69) << outcome.text();
    EXPECT_TRUE(says(outcome, "its result is unknown")) << outcome.text();
  }
  EXPECT_TRUE(says(fr({"list"}),
                   "cluster 's' knows of no application: none has been submitted "
                   "since its job manager was started"));
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
  again.wait(30);
}

}  // namespace
