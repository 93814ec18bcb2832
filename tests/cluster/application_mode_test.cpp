// fr-run --target=standalone: a cluster of one application, main in a process of its own.
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class ApplicationMode : public ClusterTest {};

class WordCount : public ApplicationMode,
                  public ::testing::WithParamInterface<std::vector<std::string>> {};

TEST_P(WordCount, IsAsLocal) {
  scratch_.write("in/a.txt", "to be or not to be\n");
  scratch_.write("in/b.txt", "that is the question: to sleep\n");
  const Outcome local = fr_run(
      {word_count_, "--target=local", "--input", scratch_ / "in", "--output", scratch_ / "local"});
  ASSERT_EQ(local.code, 0) << local.text();
  std::vector<std::string> words{word_count_};
  words.insert(words.end(), GetParam().begin(), GetParam().end());
  words.insert(words.end(), {"--input", scratch_ / "in", "--output", scratch_ / "cluster"});
  const Outcome cluster = application(words);
  ASSERT_EQ(cluster.code, 0) << cluster.text();
  const auto counts = [](const std::string& folder) {
    std::vector<std::string> lines;
    for (const std::string& part : names_in(folder))
      for (const std::string& line : lines_of(text_of_file(folder + "/" + part)))
        lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  EXPECT_FALSE(counts(scratch_ / "local").empty());
  EXPECT_EQ(counts(scratch_ / "cluster"), counts(scratch_ / "local"));
}

INSTANTIATE_TEST_SUITE_P(ApplicationMode, WordCount,
                         ::testing::Values(std::vector<std::string>{},
                                           std::vector<std::string>{"--parallelism", "2"},
                                           std::vector<std::string>{"--parallelism", "3", "-D",
                                                                    "standalone.task-managers=3",
                                                                    "-D", "taskmanager.slots=1"}));

TEST_F(ApplicationMode, AMainThatReturnsIsFinishedAndItsOutputIsShown) {
  const Outcome outcome = application({"greet"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "hello from main\n");
  EXPECT_TRUE(says(outcome, "has run no job")) << outcome.text();
}

TEST_F(ApplicationMode, MainGetsItsArguments) {
  const Outcome outcome = application({"arguments", "--target=x", "a b", ""});
  EXPECT_EQ(outcome.output, "<arguments>\n<--target=x>\n<a b>\n<>\n") << outcome.text();
}

struct End {
  const char* name;
  std::vector<std::string> words;
  int code;
  const char* told;
};
class EndOfMain : public ApplicationMode, public ::testing::WithParamInterface<End> {};

TEST_P(EndOfMain, IsToldToTheClient) {
  const Outcome outcome = application(GetParam().words);
  EXPECT_EQ(outcome.code, GetParam().code) << outcome.text();
  EXPECT_TRUE(says(outcome, GetParam().told)) << outcome.text();
}

INSTANTIATE_TEST_SUITE_P(
    ApplicationMode, EndOfMain,
    ::testing::Values(
        End{"Exit", {"exit", "3"}, 3, "main exited with 3"},
        End{"ExitWithACodeOfOurs", {"exit", "71"}, 71, "main exited with 71"},
        End{"Throw", {"throw", "no such luck"}, 71, "main threw: no such luck"},
        End{"ThrowOfBytesThatAreNoText", {"throw", "bad \xff"}, 71, "main threw: bad \xff"},
        End{"Segfault", {"segfault"}, 128 + SIGSEGV, "main was killed by signal 11"},
        End{"Abort", {"abort"}, 128 + SIGABRT, "main was killed by signal 6"},
        End{"ClosedOutput", {"close-output", "4"}, 4, "main exited with 4"},
        End{"ClosedOutputAndThrow", {"close-output-and-throw", "unheard"}, 71, "threw: unheard"},
        End{"FailedJob", {"fail", "seven is bad"}, 70, "seven is bad"},
        End{"FailedJobThatMainCaught", {"fail-caught", "seven is bad"}, 70, "seven is bad"},
        End{"CrashInATask", {"crash-in-a-task"}, 70, "signal 11"}),
    [](const auto& end) { return end.param.name; });

TEST_F(ApplicationMode, AMainThatAllocatesWithoutEndUnderALimitHasThrown) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer needs more than the limit";
#endif
  const Outcome outcome = application({"allocate"});
  EXPECT_EQ(outcome.code, 71) << outcome.text();
  EXPECT_TRUE(says(outcome, "bad_alloc")) << outcome.text();
}

TEST_F(ApplicationMode, WhatMainForkedEndsWithIt) {
  const Outcome outcome = application({"fork", scratch_ / "forked"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  int one = 0, two = 0;
  ASSERT_EQ(std::sscanf(text_of_file(scratch_ / "forked").c_str(), "%d %d", &one, &two), 2);
  EXPECT_TRUE(eventually([&] { return ::kill(one, 0) != 0 && ::kill(two, 0) != 0; }));
}

TEST_F(ApplicationMode, ALotOfOutputNeitherBlocksMainNorFillsTheDisk) {
  const Outcome outcome = application({"-D", "log.max-size=64kb", "print", "20000000"});
  EXPECT_EQ(outcome.code, 0) << outcome.text().substr(0, 1000);
  EXPECT_NE(outcome.output.find("the last line\n"), std::string::npos);
  std::uintmax_t size = 0;
  for (const auto& log : std::filesystem::recursive_directory_iterator(folder() + "/logs"))
    if (log.is_regular_file()) size += log.file_size();
  EXPECT_LT(size, 500u * 1024);
}

TEST_F(ApplicationMode, WhatIsNoApplicationIsRefusedAndItsBytesAreNotShown) {
  const std::string file = scratch_.write("notes.so", "\177ELF the secret of the notes");
  const Outcome outcome = application({file});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_FALSE(says(outcome, "secret")) << outcome.text();
}

TEST_F(ApplicationMode, AMissingFileIsRefusedAndNoClusterIsLeft) {
  const Outcome outcome = application({scratch_ / "none.so"});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_TRUE(says(outcome, "none.so")) << outcome.text();
}

TEST_F(ApplicationMode, AUrlThatTheClusterDoesNotFetchIsRefused) {
  const Outcome outcome = application({"/dev/null", "ftp://host/app.so"});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
}

TEST_F(ApplicationMode, CtrlCCancelsAndSaysSo) {
  ChildProcess child(line({"--target=standalone", "endless", scratch_ / "running"}),
                     surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  child.send(SIGINT);
  const Outcome outcome = child.wait(30);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
  EXPECT_TRUE(says(outcome, "canceling application")) << outcome.text();
}

TEST_F(ApplicationMode, AMainThatHangsIsKilledByACancel) {
  ChildProcess child(line({"--target=standalone", "hang"}), surroundings());
  ASSERT_TRUE(eventually([&] { return !processes("runner").empty(); }));
  child.send(SIGINT);
  const Outcome outcome = child.wait(30);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
}

TEST_F(ApplicationMode, ADetachedClientLeavesAndTheApplicationGoesOn) {
  const Outcome outcome =
      application({"-d", "--cluster-id=words", "endless", scratch_ / "running"});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_NE(outcome.output.find(" on cluster words\n"), std::string::npos) << outcome.text();
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  const auto applications = fr_json({"list"});
  ASSERT_EQ(applications.size(), 1u);
  EXPECT_EQ(applications[0]["status"], "running");
  EXPECT_EQ(applications[0]["jobs"][0]["status"], "running");
  const std::string id = applications[0]["id"];
  EXPECT_EQ(fr({"cancel", id.substr(0, 8)}).code, 0);
}

TEST_F(ApplicationMode, MainMayReturnWhileItsJobRuns) {
  const Outcome outcome = application({"-d", "leave-endless", scratch_ / "running"});
  ASSERT_EQ(outcome.code, 0) << outcome.text();
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  ASSERT_TRUE(eventually([&] { return processes("runner").empty(); }));
  const auto applications = fr_json({"list"});
  EXPECT_EQ(applications[0]["status"], "running");
  EXPECT_EQ(fr({"cancel", applications[0]["jobs"][0]["id"]}).code, 0);
}

TEST_F(ApplicationMode, TheJobsOfAMainThatThrewAreCanceled) {
  const Outcome outcome = application({"submit-and-throw", scratch_ / "running"});
  EXPECT_EQ(outcome.code, 71) << outcome.text();
  EXPECT_TRUE(says(outcome, "main threw: after submitting")) << outcome.text();
}

TEST_F(ApplicationMode, AClusterIdIsTakenOnce) {
  const Outcome first = application({"-d", "--cluster-id=one", "endless", scratch_ / "running"});
  ASSERT_EQ(first.code, 0) << first.text();
  const Outcome second = application({"--cluster-id=one", "greet"});
  EXPECT_EQ(second.code, 65) << second.text();
  EXPECT_TRUE(says(second, "'one' is there already")) << second.text();
  EXPECT_EQ(fr({"cluster", "stop"}).code, 0);
}

TEST_F(ApplicationMode, AClientThatIsKilledEndsItsClusterIfItWasToldSo) {
  ChildProcess child(line({"--target=standalone", "-D", "client.ends-cluster=true", "endless",
                           scratch_ / "running"}),
                     surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  child.send(SIGKILL);
}

}  // namespace
