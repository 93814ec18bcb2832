#include "process/main_end.h"

#include <gtest/gtest.h>

#include "exit_code/exit_code.h"
#include "freshet/error.h"
#include "messages/child_starts.h"
#include "modules/application.h"

namespace freshet::core {
namespace {

ProcessEnd exited(int code, const std::string& printed, const std::string& account = {}) {
  ProcessEnd end{code, std::nullopt, printed};
  end.account = account;
  return end;
}

TEST(MainEnd, OfZeroIsNoFailureWhateverItPrinted) {
  const MainEnd end = main_end_of(exited(0, "threw: x\n"));
  EXPECT_TRUE(end.returned_zero);
  EXPECT_EQ(end.reason, "");
}

TEST(MainEnd, TellsWhatTheRunnerSaidOfItWhateverItPrinted) {
  const MainEnd end = main_end_of(exited(exit_code::kMainThrew, "some\noutput\n", "threw: boom\n"));
  EXPECT_FALSE(end.returned_zero);
  EXPECT_EQ(end.reason, "main threw: boom");
  EXPECT_EQ(main_end_of(exited(exit_code::kMainThrew, "", "threw: a\n[freshet] main was canceled"))
                .reason,
            "main threw: a\n[freshet] main was canceled");
}

TEST(MainEnd, OfAnExitCodeOfItsOwnTellsTheLastLines) {
  EXPECT_EQ(main_end_of(exited(3, "bye\n")).reason, "main exited with 3; it printed last:\nbye");
  EXPECT_EQ(main_end_of(exited(71, "")).reason, "main exited with 71");
  EXPECT_EQ(main_end_of(exited(71, "[freshet] main threw: x\n")).reason,
            "main exited with 71; it printed last:\n[freshet] main threw: x");
}

TEST(MainEnd, OfACanceledJobIsToldFromAnExitWithItsCode) {
  const MainEnd end = main_end_of(exited(exit_code::kCanceled, "some\noutput\n", "was canceled"));
  EXPECT_TRUE(end.canceled);
  EXPECT_EQ(end.reason, "main was canceled");
  const MainEnd own = main_end_of(exited(exit_code::kCanceled, "bye\n"));
  EXPECT_FALSE(own.canceled);
  EXPECT_EQ(own.reason, "main exited with 130; it printed last:\nbye");
}

TEST(MainEnd, BehindMainIsToldWithWhatMainHadSaid) {
  ProcessEnd crashed{std::nullopt, 11, "some\noutput\n"};
  crashed.account = "threw: boom";
  const MainEnd end = main_end_of(crashed);
  EXPECT_FALSE(end.canceled);
  EXPECT_EQ(end.reason,
            "main was killed by signal 11 (Segmentation fault), after main threw: boom; it "
            "printed last:\nsome\noutput");
  EXPECT_EQ(main_end_of(exited(3, "", "was canceled")).reason,
            "main exited with 3, after main was canceled");
}

TEST(MainEnd, OfASignalNamesIt) {
  EXPECT_EQ(main_end_of({std::nullopt, 11, ""}).reason,
            "main was killed by signal 11 (Segmentation fault)");
  EXPECT_EQ(main_end_of({std::nullopt, std::nullopt, "no such file"}).reason,
            "main could not be started; it printed last:\nno such file");
}

TEST(MainEnd, IsToldAlikeOfAMainInThisProcess) {
  const auto end_of = [](freshet_main_outcome outcome, int code, const std::string& error) {
    const MainResult main{outcome, code, error};
    return main_end_of(exited(exit_code_of(main), "", words_of(main)));
  };
  EXPECT_TRUE(end_of(FRESHET_MAIN_RETURNED, 0, "").returned_zero);
  EXPECT_EQ(end_of(FRESHET_MAIN_RETURNED, 3, "").reason, "main exited with 3");
  EXPECT_EQ(end_of(FRESHET_MAIN_RETURNED, 256, "").reason,
            "main returned 256: the exit code of a process is 0 to 255, return one of these");
  EXPECT_FALSE(end_of(FRESHET_MAIN_RETURNED, -512, "").returned_zero);
  EXPECT_EQ(end_of(FRESHET_MAIN_RETURNED, -1, "").reason,
            "main exited with 255, after main returned -1: the exit code of a process is 0 to 255, "
            "return one of these");
  EXPECT_EQ(end_of(FRESHET_MAIN_THREW, 0, "boom").reason, "main threw: boom");
  EXPECT_EQ(end_of(FRESHET_MAIN_REFUSED, 0, "no").reason, "main was refused: no");
  EXPECT_EQ(end_of(FRESHET_MAIN_JOB_FAILED, 0, "job 'a'").reason,
            "main left with the failure of its job: job 'a'");
  EXPECT_TRUE(end_of(FRESHET_MAIN_CANCELED, 0, "").canceled);
}

TEST(ChildStarts, ArriveWhole) {
  RunnerStart start;
  start.cluster_id = "c1";
  start.job_manager = {"tcp://127.0.0.1:1", "key"};
  start.application_id = "a1";
  start.arguments = {"--input", "x y"};
  start.settings = {{"user.x", "1"}};
  const ProcessSpec spec = runner_process("/bin/fr", start);
  EXPECT_EQ(spec.name, "main-a1");
  EXPECT_EQ(spec.command[0], "/bin/fr");
  const RunnerStart read = read_runner_start(spec.inherited);
  EXPECT_EQ(read.job_manager.endpoint, "tcp://127.0.0.1:1");
  EXPECT_EQ(read.arguments, start.arguments);
  EXPECT_EQ(read.settings, start.settings);

  WorkerStart worker;
  worker.worker = {"0123456789abcdef", 2, 1};
  worker.slots = 4;
  const ProcessSpec of_worker = worker_process("/bin/fr", worker);
  EXPECT_EQ(of_worker.name, "worker-01234567-2-1");
  EXPECT_EQ(read_worker_start(of_worker.inherited).slots, 4u);
  EXPECT_THROW(read_worker_start("no start"), InvalidInput);
  EXPECT_THROW(read_runner_start(""), InvalidInput);
}

}  // namespace
}  // namespace freshet::core
