// One session for all: however an application ends, the client is told, and neither the cluster nor
// another application on it is harmed.
#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <memory>
#include <utility>

#include "own_cluster.h"
#include "scale.h"

namespace {

using namespace freshet::testing;
namespace fs = std::filesystem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;
#else
constexpr bool kIsSanitized = false;
#endif

// A session, and on it an application that runs all the while.
class SessionWithANeighbour : public ClusterTest {
 public:
  void begin() {
    start_session("s");
    neighbour_ = std::make_unique<ChildProcess>(
        line({"--target=standalone-session", "steady", alive_}), surroundings());
    ASSERT_TRUE(neighbour_makes_progress());
  }
  void end() {
    neighbour_->send(SIGINT);
    EXPECT_EQ(neighbour_->wait(30).code, 130);
    stop_session("s");
    TearDown();
  }
  // Its job writes the file again.
  bool neighbour_makes_progress() {
    fs::remove(alive_);
    return eventually([&] { return fs::exists(alive_); });
  }
  bool neighbour_is_attended() { return neighbour_->running(); }
  // In kB.
  long memory_of_job_manager(const std::string& what) const {
    const std::string status =
        content("/proc/" + std::to_string(process("jobmanager")) + "/status");
    const auto at = status.find(what + ":");
    return at == std::string::npos ? 0 : std::atol(status.c_str() + at + what.size() + 1);
  }
  std::uintmax_t size_of_logs() const {
    std::uintmax_t size = 0;
    for (const auto& log : fs::recursive_directory_iterator(folder() + "/logs"))
      if (log.is_regular_file()) size += log.file_size();
    return size;
  }
  std::string file(const std::string& name) const { return scratch_ / name; }
  using ClusterTest::fr_json;
  using ClusterTest::in_session;
  using ClusterTest::line;
  using ClusterTest::list_of_processes;
  using ClusterTest::processes;
  using ClusterTest::surroundings;
  using ClusterTest::Words;

 private:
  void TestBody() override {}

  const std::string alive_ = scratch_ / "alive";
  std::unique_ptr<ChildProcess> neighbour_;
};

class SessionNeighbours : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    session_ = std::make_unique<SessionWithANeighbour>();
    session_->begin();
  }
  static void TearDownTestSuite() {
    session_->end();
    session_.reset();
  }
  // What must hold whatever an application has done.
  void TearDown() override {
    EXPECT_TRUE(session_->neighbour_is_attended());
    EXPECT_TRUE(session_->neighbour_makes_progress());
    const auto applications = session_->fr_json({"list"});
    EXPECT_EQ(applications[0]["status"], "running") << applications;
    EXPECT_EQ(applications[0]["jobs"][0]["status"], "running") << applications;
    const Outcome next = session_->in_session({"jobs", "1"});
    EXPECT_EQ(next.code, 0) << next.text();
    EXPECT_TRUE(eventually([] { return session_->processes("runner").size() == 1; }))
        << session_->list_of_processes();
  }
  // Of the application that was submitted last.
  static nlohmann::json last() {
    const auto applications = session_->fr_json({"list"});
    return applications.empty() ? nlohmann::json() : applications.back();
  }

  static std::unique_ptr<SessionWithANeighbour> session_;
};

std::unique_ptr<SessionWithANeighbour> SessionNeighbours::session_;

struct End {
  const char* name;
  std::vector<std::string> words;
  int code;
  const char* told;  // to the client, and to those who list applications
};
class Unharmed : public SessionNeighbours, public ::testing::WithParamInterface<End> {};

TEST_P(Unharmed, ByAnApplicationThatFails) {
  const Outcome outcome = session_->in_session(GetParam().words);
  EXPECT_EQ(outcome.code, GetParam().code) << outcome.text();
  EXPECT_TRUE(says(outcome, GetParam().told)) << outcome.text();
  const auto application = last();
  EXPECT_EQ(application["status"], "failed") << application;
  EXPECT_NE(application["reason"].get<std::string>().find(GetParam().told), std::string::npos)
      << application;
}

INSTANTIATE_TEST_SUITE_P(
    SessionNeighbours, Unharmed,
    ::testing::Values(
        End{"Exit", {"exit", "3"}, 3, "main exited with 3"},
        End{"Throw", {"throw", "no such luck"}, 71, "main threw: no such luck"},
        End{"Segfault", {"segfault"}, 128 + SIGSEGV, "main was killed by signal 11"},
        End{"Abort", {"abort"}, 128 + SIGABRT, "main was killed by signal 6"},
        End{"ClosedOutput", {"close-output", "4"}, 4, "main exited with 4"},
        End{"ClosedOutputAndThrow", {"close-output-and-throw", "unheard"}, 71, "threw: unheard"},
        End{"FailedJob", {"fail", "seven is bad"}, 70, "seven is bad"},
        End{"CrashInATask", {"crash-in-a-task"}, 70, "signal 11"}),
    [](const auto& end) { return end.param.name; });

TEST_F(SessionNeighbours, AreUnharmedByAMainInTheClientThatLeavesAJobAndThrows) {
  const Outcome outcome = session_->in_session(
      {"-D", "execution.main=client", "submit-and-throw", session_->file("orphan")});
  EXPECT_EQ(outcome.code, 71) << outcome.text();
  EXPECT_TRUE(eventually([] { return last()["status"] == "failed"; })) << last();
  EXPECT_EQ(last()["reason"], "main threw: after submitting");
  EXPECT_EQ(last()["jobs"][0]["status"], "canceled");
}

TEST_F(SessionNeighbours, AreUnharmedByAMainThatAllocatesWithoutEndUnderALimit) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer needs more than the limit";
  const Outcome outcome = session_->in_session({"allocate"});
  EXPECT_EQ(outcome.code, 71) << outcome.text();
  EXPECT_TRUE(says(outcome, "main threw: std::bad_alloc")) << outcome.text();
  EXPECT_EQ(last()["reason"], "main threw: std::bad_alloc");
}

TEST_F(SessionNeighbours, AreUnharmedByAMainThatNeverEndsAndIsCanceled) {
  ChildProcess client(session_->line({"--target=standalone-session", "hang"}),
                      session_->surroundings());
  ASSERT_TRUE(eventually([] { return session_->processes("runner").size() == 2; }));
  client.send(SIGINT);
  const Outcome outcome = client.wait(30);
  EXPECT_EQ(outcome.code, 130) << outcome.text();
  EXPECT_TRUE(says(outcome, "fr-run: canceled\n")) << outcome.text();
  EXPECT_EQ(last()["status"], "canceled");
}

TEST_F(SessionNeighbours, AreUnharmedByAMainThatForksAndWhatItForkedEndsWithIt) {
  const std::string file = session_->file("forked");
  const Outcome outcome = session_->in_session({"fork", file});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  int one = 0, two = 0;
  ASSERT_EQ(std::sscanf(text_of_file(file).c_str(), "%d %d", &one, &two), 2);
  EXPECT_TRUE(eventually([&] { return ::kill(one, 0) != 0 && ::kill(two, 0) != 0; }));
  EXPECT_EQ(last()["status"], "finished");
}

// What was too fast to be shown is counted.
TEST_F(SessionNeighbours, AreUnharmedByAMainThatPrintsAGigabyte) {
  const long before = session_->memory_of_job_manager("VmRSS");
  SessionWithANeighbour::Words words{
      "/bin/sh", "-c",
      R"(out=$1; shift; "$@" > "$out"; code=$?; wc -c < "$out"; tail -n 1 "$out"; rm "$out"
         exit $code)",
      "sh", session_->file("printed")};
  const long lines = scaled(10'000'000);
  const auto client =
      session_->line({"--target=standalone-session", "print", std::to_string(lines * 100)});
  words.insert(words.end(), client.begin(), client.end());
  const Outcome outcome = run(words, session_->surroundings());
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  long shown = 0, skipped = 0;
  const std::string last_line = "the last line\n";
  ASSERT_EQ(std::sscanf(outcome.output.c_str(), "%ld", &shown), 1) << outcome.text();
  EXPECT_EQ(outcome.output, std::to_string(shown) + "\n" + last_line);
  if (const auto at = outcome.errors.find(" bytes that main printed are not shown");
      at != std::string::npos)
    skipped = std::atol(outcome.errors.c_str() + outcome.errors.rfind(' ', at - 1));
  const long printed = lines * 100 + static_cast<long>(last_line.size());
  EXPECT_GE(shown + skipped, printed) << outcome.errors;
  EXPECT_LE(shown + skipped, printed + lines / 100) << "but for a line end at each gap";
  EXPECT_EQ(last()["status"], "finished");
  EXPECT_LT(session_->size_of_logs(), 20u << 20) << "twice log.max-size, and what the others say";
  if (!kIsSanitized) {
    EXPECT_LT(session_->memory_of_job_manager("VmHWM"), before + 32 * 1024) << "kB";
  }
}

}  // namespace
