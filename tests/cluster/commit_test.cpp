// What becomes of a job's output when something is killed, fails or is canceled while it is
// committed: with real processes, at every step.
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>

#include "commit_steps.h"

namespace freshet::testing {
namespace {

class Commits : public ClusterTest {
 protected:
  Words job(const Words& options, bool waits = true) const {
    Words words{commit_application_};
    words.insert(words.end(), options.begin(), options.end());
    words.insert(words.end(), {steps_.output(), steps_.folder()});
    if (waits) words.push_back("wait");
    return words;
  }
  // Its standard error goes to errors_.
  ChildProcess local(const std::string& how, Words options = {}) const {
    options.push_back("--target=local");
    Words words = job(options, /*waits=*/false);
    words.push_back(how);
    std::string command = "exec";
    for (const std::string& word : line(words)) command += " '" + word + "'";
    return {{"/bin/sh", "-c", command + " 2>'" + errors_ + "'"}, surroundings()};
  }
  bool said(const std::string& text) const {
    return eventually([&] { return text_of_file(errors_).find(text) != std::string::npos; });
  }
  std::unique_ptr<ChildProcess> start_in_session(Words options) const {
    options.push_back("--target=standalone-session");
    return std::make_unique<ChildProcess>(line(job(options)), surroundings());
  }
  // Of the only one that has not ended.
  std::string job_id() const {
    const auto applications = fr_json({"list"});
    return applications.empty() ? "" : std::string(applications[0]["jobs"][0]["id"]);
  }
  // What becomes of it is decided, and told to nobody yet.
  bool is_committing() const {
    return eventually(
        [&] { return fr({"list"}).output.find("  committing") != std::string::npos; });
  }
  static pid_t parent_of(pid_t process) {
    const std::string stat = content("/proc/" + std::to_string(process) + "/stat");
    int parent = 0;
    char state = 0;
    std::sscanf(stat.c_str() + stat.rfind(')') + 1, " %c %d", &state, &parent);
    return parent;
  }

  // A zombie does not run.
  static bool runs(pid_t process) {
    const std::string stat = content("/proc/" + std::to_string(process) + "/stat");
    const std::size_t name_end = stat.rfind(')');
    return name_end != std::string::npos && stat.substr(name_end, 3) != ") Z";
  }
  // Part 0 is visible and part 1 hung in its commit().
  void expect_named(const Outcome& outcome, const std::string& why) const {
    EXPECT_EQ(outcome.code, 70) << outcome.text();
    EXPECT_TRUE(says(outcome, "1 of 2 outputs could not be committed " + why)) << outcome.text();
    EXPECT_TRUE(says(outcome, "its commit() had not returned, so its worker was stopped"))
        << outcome.text();
    EXPECT_TRUE(says(outcome, ". Visible of this job are: '" + steps_.output() +
                                  "/part-0'. Look for these, which may be visible"))
        << outcome.text();
    EXPECT_TRUE(says(outcome, "' (subtask 1). What is prepared")) << outcome.text();
    EXPECT_FALSE(steps_.is_visible(1));
  }

  const std::string commit_application_ = path_from("FRESHET_TEST_COMMIT_APPLICATION");
  const CommitSteps steps_{scratch_};
  const std::string errors_ = scratch_ / "errors";
  const Words restarts_{"-D", "restart-strategy.type=fixed-delay", "-D",
                        "restart-strategy.fixed-delay.delay=0ms"};
};

class KilledWhileItCommits : public Commits, public ::testing::WithParamInterface<std::string> {};

TEST_P(KilledWhileItCommits, AWorkerIsReplacedAndTheOutputIsWhole) {
  start_session("s");
  const std::string& step = GetParam();
  steps_.hold(step);
  const auto client = start_in_session(restarts_);
  ::kill(steps_.reached(step), SIGKILL);
  steps_.release(step);
  const Outcome outcome = client->wait(120);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  steps_.expect_whole();
  stop_session("s");
}

TEST_P(KilledWhileItCommits, ATaskManagerIsReplacedAndTheOutputIsWhole) {
  start_session("s", {"--task-managers", "2"});
  const std::string& step = GetParam();
  steps_.hold(step);
  const auto client = start_in_session(restarts_);
  const pid_t task_manager = parent_of(steps_.reached(step));
  const auto all = processes("taskmanager");
  ASSERT_NE(std::find(all.begin(), all.end(), task_manager), all.end()) << list_of_processes();
  ::kill(task_manager, SIGKILL);
  steps_.release(step);
  const Outcome outcome = client->wait(120);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  steps_.expect_whole();
  stop_session("s");
}

// A process that runs the whole job leaves what was visible when it was killed, and nothing that
// the next run could take for its own.
TEST_P(KilledWhileItCommits, AProgramWithItsJobLosesAndReplacesNothing) {
  const std::string& step = GetParam();
  steps_.hold(step);
  ChildProcess program(line(job({"--target=local"})), surroundings());
  steps_.reached(step);
  program.send(SIGKILL);
  EXPECT_EQ(program.wait(30).signal, SIGKILL);
  steps_.release(step);
  const auto left = steps_.complete_parts();
  const Outcome next = fr_run(job({"--target=local"}));
  if (left.empty()) {
    EXPECT_EQ(next.code, 0) << next.text();
    steps_.expect_whole();
    return;
  }
  EXPECT_EQ(next.code, 70) << next.text();
  EXPECT_TRUE(says(next, "the output folder '" + steps_.output() + "' holds '")) << next.text();
  EXPECT_EQ(steps_.complete_parts(), left);
}

INSTANTIATE_TEST_SUITE_P(Commits, KilledWhileItCommits, ::testing::ValuesIn(kCommitSteps),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_F(Commits, AWorkerThatIsKilledBeforeFailsAJobThatIsNotRestartedAndNothingIsVisible) {
  start_session("s");
  steps_.hold("before-prepare-0");
  const auto client = start_in_session({});
  ::kill(steps_.reached("before-prepare-0"), SIGKILL);
  const Outcome outcome = client->wait(60);
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "signal 9")) << outcome.text();
  EXPECT_FALSE(steps_.is_visible(0) || steps_.is_visible(1));
  stop_session("s");
}

TEST_F(Commits, ASimpleCommitIsNotRepeatedWhenItsWorkerIsLost) {
  start_session("s");
  std::filesystem::create_directories(steps_.output());
  steps_.hold("before-commit-1");
  Words words = job(restarts_, /*waits=*/false);
  words.push_back("simple");
  words.insert(words.begin() + 1, "--target=standalone-session");
  ChildProcess client(line(words), surroundings());
  ::kill(steps_.reached("before-commit-1"), SIGKILL);
  const Outcome outcome = client.wait(60);
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "while it committed: a part of its output may be visible"))
      << outcome.text();
  stop_session("s");
}

TEST_F(Commits, ACancelBeforeRemovesWhatIsPrepared) {
  start_session("s");
  steps_.hold("before-prepare-0");
  const auto client = start_in_session({});
  steps_.reached("before-prepare-0");
  ASSERT_TRUE(eventually([&] {
    const auto names = names_in(steps_.output());
    return std::any_of(names.begin(), names.end(), [](const std::string& name) {
      return name.find("part-1.prepared-") != std::string::npos;
    });
  }));
  EXPECT_EQ(fr({"cancel", job_id()}).code, 0);
  EXPECT_EQ(client->wait(60).code, 130);
  steps_.expect_nothing();
  stop_session("s");
}

TEST_F(Commits, ACancelIsRefusedMeanwhile) {
  start_session("s");
  steps_.hold("before-commit-1");
  const auto client = start_in_session({});
  steps_.reached("before-commit-1");
  ASSERT_TRUE(is_committing());
  const Outcome refused = fr({"cancel", job_id()});
  EXPECT_EQ(refused.code, 65) << refused.text();
  EXPECT_TRUE(says(refused, "is committing: it can't be canceled")) << refused.text();
  steps_.release("before-commit-1");
  EXPECT_EQ(client->wait(60).code, 0);
  steps_.expect_whole();
  stop_session("s");
}

TEST_F(Commits, AForcedCancelEndsItAndNamesWhatIsVisible) {
  start_session("s");
  steps_.write("fail-commit-1");
  const auto client = start_in_session({});
  ASSERT_TRUE(eventually([&] { return steps_.has("failed-commit-1"); }));
  ASSERT_TRUE(eventually([&] { return steps_.is_visible(0); }));
  ASSERT_TRUE(is_committing());
  EXPECT_EQ(fr({"cancel", "--force", job_id()}).code, 0);
  const Outcome outcome = client->wait(60);
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "1 of 2 outputs could not be committed since it was canceled by"))
      << outcome.text();
  EXPECT_TRUE(says(outcome, "it is told to fail. Visible of this job are: '")) << outcome.text();
  EXPECT_TRUE(says(outcome, "/part-0'")) << outcome.text();
  EXPECT_TRUE(says(outcome, "What is prepared and not committed may be left")) << outcome.text();
  EXPECT_FALSE(steps_.is_visible(1));
  stop_session("s");
}

// Its worker has ended before the job has: nothing becomes visible afterwards, and what is named is
// all that may be.
TEST_F(Commits, OneThatHangsFailsAfterItsTimeAndItsWorkerIsStoppedBefore) {
  start_session("s");
  steps_.hold("before-commit-1");
  const auto client = start_in_session(
      {"-D", "execution.commit-timeout=20s", "-D", "task.cancellation-timeout=1h"});
  const pid_t worker = steps_.reached("before-commit-1");
  const Outcome outcome = client->wait(60);
  EXPECT_FALSE(runs(worker)) << list_of_processes();
  expect_named(outcome, "within 20 s (execution.commit-timeout)");
  stop_session("s");
}

TEST_F(Commits, AForcedCancelStopsAWorkerThatHangsBeforeItNamesWhatIsVisible) {
  start_session("s");
  steps_.hold("before-commit-1");
  const auto client = start_in_session({"-D", "task.cancellation-timeout=1h"});
  const pid_t worker = steps_.reached("before-commit-1");
  ASSERT_TRUE(eventually([&] {
    return fr({"list"}).output.find("1 of 2 outputs are committed") != std::string::npos;
  }));
  EXPECT_EQ(fr({"cancel", "--force", job_id()}).code, 0);
  const Outcome outcome = client->wait(60);
  EXPECT_FALSE(runs(worker)) << list_of_processes();
  expect_named(outcome, "since it was canceled by");
  stop_session("s");
}

TEST_F(Commits, WhatFailsIsTriedAgainWithBothTargets) {
  start_session("s");
  for (const std::string target : {"--target=local", "--target=standalone-session"}) {
    steps_.write("fail-commit-1");
    ChildProcess client(line(job({target})), surroundings());
    ASSERT_TRUE(eventually([&] { return steps_.has("failed-commit-1"); }));
    steps_.remove("fail-commit-1");
    const Outcome outcome = client.wait(60);
    EXPECT_EQ(outcome.code, 0) << target << outcome.text();
    steps_.expect_whole();
    steps_.remove("failed-commit-1");
    std::filesystem::remove_all(steps_.output());
  }
  stop_session("s");
}

TEST_F(Commits, WhatACommitSaysIsShortenedBeforeItTravels) {
  start_session("s");
  steps_.write("say-much");
  for (const std::string target : {"--target=local", "--target=standalone-session"}) {
    const Outcome outcome = fr_run(job({target, "-D", "execution.commit-timeout=60s"}));
    EXPECT_EQ(outcome.code, 0) << target << outcome.text();
    steps_.expect_whole();
    std::filesystem::remove_all(steps_.output());
  }
  stop_session("s");
}

TEST_F(Commits, TimeoutsAndForeignPartsFailAProgramsJobByName) {
  steps_.write("fail-commit-1");
  const Outcome late = fr_run(job({"--target=local", "-D", "execution.commit-timeout=300ms"}));
  EXPECT_EQ(late.code, 70) << late.text();
  EXPECT_TRUE(says(late, "1 of 2 outputs could not be committed within 300 ms")) << late.text();
  EXPECT_TRUE(says(late, "/part-0'")) << late.text();

  std::filesystem::remove_all(steps_.output());
  steps_.remove("fail-commit-1");
  steps_.hold("before-commit-1");
  ChildProcess program(line(job({"--target=local"})), surroundings());
  steps_.reached("before-commit-1");
  std::ofstream(steps_.output() + "/part-1") << "of somebody else\n";
  steps_.release("before-commit-1");
  const Outcome foreign = program.wait(60);
  EXPECT_EQ(foreign.code, 70) << foreign.text();
  EXPECT_TRUE(says(foreign, "/part-1' has come there from elsewhere")) << foreign.text();
  EXPECT_EQ(text_of_file(steps_.output() + "/part-1"), "of somebody else\n");
}

// fr-run leaves code that does not stop after 0.9 s; not a commit, however long it takes.
constexpr double kBeyondPatience = 1.5;
constexpr const char* kNotCanceled = "job 'commits' is committing and is not canceled any more";

TEST_F(Commits, CtrlCMeanwhileLeavesNoHalfOfALocalJob) {
  steps_.hold("before-commit-1");
  ChildProcess program = local("wait");
  steps_.reached("before-commit-1");
  program.send(SIGINT);
  ASSERT_TRUE(said(kNotCanceled));
  EXPECT_FALSE(eventually([&] { return !program.running(); }, kBeyondPatience));
  steps_.release("before-commit-1");
  EXPECT_EQ(program.wait(60).code, 0) << text_of_file(errors_);
  steps_.expect_whole();
}

TEST_F(Commits, CtrlCTwiceMeanwhileLeavesALocalJobAtOnce) {
  steps_.hold("before-commit-1");
  ChildProcess program = local("wait");
  steps_.reached("before-commit-1");
  program.send(SIGINT);
  ASSERT_TRUE(said(kNotCanceled));
  program.send(SIGINT);
  EXPECT_EQ(program.wait(20).code, 130) << text_of_file(errors_);
  EXPECT_FALSE(steps_.is_visible(1));
}

TEST_F(Commits, CtrlCLeavesAStuckJobAfterTheCommitOfAnother) {
  steps_.hold("before-commit-1");
  ChildProcess program = local("beside-stuck");
  ASSERT_TRUE(eventually([&] { return steps_.has("stuck"); }));
  steps_.reached("before-commit-1");
  program.send(SIGINT);
  ASSERT_TRUE(said(kNotCanceled));
  ASSERT_TRUE(said("job 'stuck' does not end; left as it is"));
  EXPECT_FALSE(eventually([&] { return !program.running(); }, kBeyondPatience));
  steps_.release("before-commit-1");
  EXPECT_EQ(program.wait(60).code, 130) << text_of_file(errors_);
  steps_.expect_whole();
}

TEST_F(Commits, AMainThatFailsMeanwhileLeavesNoHalfOfALocalJob) {
  steps_.hold("before-commit-1");
  ChildProcess program = local("fail", {"-D", "task.cancellation-timeout=100ms"});
  ASSERT_TRUE(said(kNotCanceled));
  EXPECT_FALSE(eventually([&] { return !program.running(); }, kBeyondPatience));
  steps_.release("before-commit-1");
  EXPECT_EQ(program.wait(60).code, 7) << text_of_file(errors_);
  EXPECT_EQ(text_of_file(errors_).find("is canceled"), std::string::npos) << text_of_file(errors_);
  steps_.expect_whole();
}

// Of two jobs that write one folder one is refused, and the other's output is whole.
TEST_F(Commits, OfTwoJobsInOneFolderOneAloneWrites) {
  steps_.hold("before-prepare-0");
  ChildProcess first(line(job({"--target=local"})), surroundings());
  steps_.reached("before-prepare-0");
  const Outcome second = fr_run(job({"--target=local"}));
  EXPECT_EQ(second.code, 70) << second.text();
  EXPECT_TRUE(says(second, steps_.output())) << second.text();
  steps_.release("before-prepare-0");
  const Outcome outcome = first.wait(60);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  steps_.expect_whole();
}

TEST_F(Commits, OfTwoJobsOfASessionInOneFolderOneAloneWrites) {
  start_session("s", {"--task-managers", "2"});
  steps_.hold("before-prepare-0");
  const auto first = start_in_session({});
  steps_.reached("before-prepare-0");
  const Outcome second = in_session(job({}));
  EXPECT_EQ(second.code, 70) << second.text();
  steps_.release("before-prepare-0");
  const Outcome outcome = first->wait(60);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  steps_.expect_whole();
  stop_session("s");
}

TEST_F(Commits, AJobManagerThatIsLostLeavesWhatIsVisibleAndTheClientSaysSo) {
  steps_.hold("before-commit-1");
  ChildProcess client(
      line(job({"--target=standalone", "-D", "client.timeout=2s", "-D", "taskmanager.slots=2"})),
      surroundings());
  steps_.reached("before-commit-1");
  ASSERT_TRUE(eventually([&] { return steps_.is_visible(0); }));
  ::kill(process("jobmanager"), SIGKILL);
  const Outcome outcome = client.wait(60);
  EXPECT_EQ(outcome.code, 69) << outcome.text();
  EXPECT_TRUE(says(outcome, "a part of its output may be visible")) << outcome.text();
  EXPECT_TRUE(eventually([&] { return processes().empty(); })) << list_of_processes();
  EXPECT_TRUE(steps_.is_visible(0));
  EXPECT_FALSE(steps_.is_visible(1));
}

}  // namespace
}  // namespace freshet::testing
