// A process that dies by a signal says where: operator, subtask and records, and the stack with
// file and line, whatever process it is.
#include <gtest/gtest.h>
#include <signal.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class Crash : public ClusterTest {
 protected:
  Words crashing(const std::string& target, const std::string& how, Words more = {}) const {
    Words words{path_from("FRESHET_TEST_CRASHING_APPLICATION"), "--target=" + target};
    words.insert(words.end(), more.begin(), more.end());
    words.push_back(how);
    return line(words);
  }
  Outcome on_cluster(const std::string& how, const Words& more = {}) const {
    return run(crashing("standalone", how, more), surroundings());
  }
  Outcome local(const std::string& how, const Words& more = {}) const {
    return run(crashing("local", how, more), surroundings());
  }
  static bool is_of_batch(const Outcome& outcome, int record) {
    const std::string word = "in the batch of records ";
    const std::size_t at = outcome.errors.find(word);
    int first = 0, last = 0;
    return at != std::string::npos &&
           std::sscanf(outcome.errors.c_str() + at + word.size(), "%d to %d", &first, &last) == 2 &&
           first <= record && record <= last;
  }
  // "crashing_application.cpp:17", of the line with that mark.
  static std::string at(const std::string& mark) {
    std::ifstream source(path_from("FRESHET_TEST_CRASHING_SOURCE"));
    int number = 0;
    for (std::string line; std::getline(source, line);) {
      ++number;
      if (line.find("// mark: " + mark) != std::string::npos) break;
    }
    return "crashing_application.cpp:" + std::to_string(number);
  }
};

TEST_F(Crash, OfAnOperatorInAWorkerNamesOperatorRecordsAndPlace) {
  const Outcome outcome = on_cluster("null");
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "job 'crashing' failed: operator 'crashes' (subtask 0): worker 0"))
      << outcome.text();
  EXPECT_TRUE(says(outcome,
                   "killed by signal 11 (Segmentation fault) at address 0x0, in the batch of "
                   "records "))
      << outcome.text();
  EXPECT_TRUE(is_of_batch(outcome, 499)) << outcome.text();
  EXPECT_TRUE(says(outcome, "read_through")) << outcome.text();
  EXPECT_TRUE(says(outcome, at("null"))) << outcome.text();
  EXPECT_FALSE(says(outcome, ", which died")) << "the other threads are for -v";
  EXPECT_TRUE(says(outcome, "(the stacks of all threads: fr-run -v)")) << outcome.text();
}

TEST_F(Crash, OfAnOperatorTellsAllThreadsIfAskedTo) {
  const Outcome outcome = on_cluster("null", {"-v"});
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, ", which died:")) << outcome.text();
  EXPECT_GE(std::count(outcome.errors.begin(), outcome.errors.end(), '#'), 10) << outcome.text();
}

TEST_F(Crash, IsAFewLinesInAListAndHasAllThreadsWithVerbose) {
  start_session("s");
  for (const Words& more : {Words{}, Words{"-Dexecution.main=client"}}) {
    Words verbose = more;
    verbose.push_back("-v");
    const Outcome usual = run(crashing("standalone-session", "null", more), surroundings());
    EXPECT_TRUE(says(usual, "killed by signal 11")) << usual.text();
    EXPECT_FALSE(says(usual, ", which died")) << usual.text();
    EXPECT_TRUE(says(usual, "(the stacks of all threads: fr-run -v)")) << usual.text();
    const Outcome whole = run(crashing("standalone-session", "null", verbose), surroundings());
    EXPECT_TRUE(says(whole, ", which died:")) << whole.text();
  }
  const auto list = fr_json({"list"});
  ASSERT_FALSE(list.empty());
  EXPECT_EQ(list[0]["reason"].dump().find("all threads"), std::string::npos) << list[0];
  const std::string id = list[0]["id"];
  const auto has = [](const Outcome& outcome, const std::string& part) {
    return outcome.output.find(part) != std::string::npos;
  };
  const Outcome listed = fr({"list"});
  EXPECT_TRUE(has(listed, "killed by signal 11")) << listed.output;
  EXPECT_TRUE(has(listed, "... (all of it: fr status -v ID)")) << listed.output;
  EXPECT_FALSE(has(listed, "#3")) << listed.output;
  EXPECT_FALSE(has(listed, ", which died")) << listed.output;
  for (const char* command : {"status", "wait"}) {
    const Outcome usual = fr({command, id});
    EXPECT_TRUE(has(usual, "#0")) << usual.output;
    EXPECT_FALSE(has(usual, ", which died")) << usual.output;
    EXPECT_TRUE(has(usual, "(the stacks of all threads: -v)")) << usual.output;
    EXPECT_TRUE(has(fr({command, id, "-v"}), ", which died:")) << command;
  }
  stop_session("s");
}

// Whatever an exception says, only the runtime's own stacks are left out.
TEST_F(Crash, IsNotSeenInWhatAnExceptionSays) {
  for (const Outcome& outcome : {on_cluster("throws-of-threads"), local("throws-of-threads")}) {
    EXPECT_TRUE(says(outcome, "the cause: no room")) << outcome.text();
    EXPECT_FALSE(says(outcome, "(the stacks of all threads")) << outcome.text();
  }
}

TEST_F(Crash, OrALongExceptionIsTwelveLinesWhereverMainRuns) {
  for (const std::string target : {"local", "standalone"}) {
    const Outcome usual = run(crashing(target, "throws-lines"), surroundings());
    EXPECT_LE(std::count(usual.errors.begin(), usual.errors.end(), '\n'), 12) << usual.text();
    EXPECT_TRUE(says(usual, "(50 lines more: fr-run -v)")) << usual.text();
    const Outcome whole = run(crashing(target, "throws-lines", {"-v"}), surroundings());
    EXPECT_TRUE(says(whole, "line 60")) << whole.text();
  }
}

TEST_F(Crash, ByAbortNamesTheCodeOfTheUserAndNotThatOfTheSystem) {
  const Outcome outcome = on_cluster("abort");
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "operator 'crashes' (subtask 0)")) << outcome.text();
  EXPECT_TRUE(says(outcome, "killed by signal 6 (Aborted)")) << outcome.text();
  EXPECT_TRUE(says(outcome, at("abort"))) << outcome.text();
}

TEST_F(Crash, ByAStackOverflowKeepsItsAdvice) {
  const Outcome outcome = on_cluster("overflow");
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "has overflowed its 1024 KiB: raise task.stack-size"))
      << outcome.text();
  EXPECT_TRUE(says(outcome, at("dig"))) << outcome.text();
}

TEST_F(Crash, OfMainNamesThePlace) {
  const Outcome outcome = on_cluster("main");
  EXPECT_EQ(outcome.code, 128 + SIGSEGV) << outcome.text();
  EXPECT_TRUE(says(outcome, "main was killed by signal 11 (Segmentation fault) at address 0x0"))
      << outcome.text();
  EXPECT_TRUE(says(outcome, at("null"))) << outcome.text();
}

TEST_F(Crash, OfALocalJobSaysTheSame) {
  const Outcome outcome = local("null");
  EXPECT_EQ(outcome.signal, SIGSEGV) << outcome.text();
  EXPECT_TRUE(says(outcome,
                   "freshet: operator 'crashes' (subtask 0): killed by signal 11 (Segmentation "
                   "fault) at address 0x0, in the batch of records "))
      << outcome.text();
  EXPECT_TRUE(is_of_batch(outcome, 499)) << outcome.text();
  EXPECT_TRUE(says(outcome, at("null"))) << outcome.text();
  EXPECT_FALSE(says(outcome, ", which died")) << outcome.text();
  EXPECT_TRUE(says(local("abort", {"-v"}), ", which died:"));
}

TEST_F(Crash, ByASignalThatWasSentEndsEveryProcess) {
  for (const std::string how : {"open-raises", "close-raises"}) {
    const Outcome outcome = on_cluster(how);
    EXPECT_EQ(outcome.code, 70) << how << outcome.text();
    EXPECT_TRUE(says(outcome, "signal 11")) << how << outcome.text();
    EXPECT_EQ(local(how).signal, SIGSEGV) << how;
  }
  for (const std::string how : {"main-raises", "destructor-raises"}) {
    const Outcome outcome = on_cluster(how);
    EXPECT_EQ(outcome.code, 128 + SIGSEGV) << how << outcome.text();
    EXPECT_TRUE(says(outcome, "main was killed by signal 11")) << how << outcome.text();
    EXPECT_EQ(local(how).signal, SIGSEGV) << how;
  }
}

TEST_F(Crash, OfADaemonIsToldInItsLog) {
  start_session("s");
  const pid_t manager = process("taskmanager");
  ::kill(manager, SIGSEGV);
  std::string log;
  EXPECT_TRUE(eventually([&] {
    for (const auto& file : std::filesystem::recursive_directory_iterator(state_)) {
      if (file.path().extension() == ".log") log = text_of_file(file.path());
      if (log.find("killed by signal 11 (Segmentation fault)") != std::string::npos) return true;
    }
    return false;
  }));
  EXPECT_TRUE(eventually([&] { return processes("taskmanager").empty(); }));
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
}

}  // namespace
