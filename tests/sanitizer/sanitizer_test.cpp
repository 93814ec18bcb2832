// Runs programs with seeded bugs and a correct one, as children, and reads what the sanitizer says.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#ifdef __SANITIZE_THREAD__
#define FRESHET_THREAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FRESHET_THREAD_SANITIZED 1
#endif
#endif

namespace {

std::string folder;

struct Outcome {
  int exit_code;
  std::string output;
};

Outcome run(const std::string& program) {
  const std::string command = "'" + folder + "/" + program + "' 2>&1";
  FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {-1, "popen failed"};
  std::string output;
  std::array<char, 4096> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
    output.append(buffer.data(), count);
  }
  const int status = pclose(pipe);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

#ifdef FRESHET_THREAD_SANITIZED
TEST(ThreadSanitizer, FindsTheDataRaceBetweenFibersOfTwoThreads) {
  const Outcome outcome = run("seeded_data_race");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("WARNING: ThreadSanitizer: data race"), std::string::npos)
      << outcome.output;
  EXPECT_NE(outcome.output.find("shared_by_mistake"), std::string::npos) << outcome.output;
}

TEST(ThreadSanitizer, FindsTheUseAfterFreeInAFiber) {
  const Outcome outcome = run("seeded_use_after_free");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("ThreadSanitizer: heap-use-after-free"), std::string::npos)
      << outcome.output;
}
#else
TEST(AddressSanitizer, FindsTheUseAfterFreeInAFiber) {
  const Outcome outcome = run("seeded_use_after_free");
  EXPECT_NE(outcome.exit_code, 0);
  EXPECT_NE(outcome.output.find("AddressSanitizer: heap-use-after-free"), std::string::npos)
      << outcome.output;
  EXPECT_NE(outcome.output.find("seeded_use_after_free.cpp"), std::string::npos) << outcome.output;
}
#endif

TEST(Sanitizers, AreQuietAboutFibersThatLockWaitAndThrow) {
  const Outcome outcome = run("correct_fibers");
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.output, "correct\n");
}

}  // namespace

int main(int argc, char** argv) {
  ::testing::InitGoogleTest(&argc, argv);
  if (argc != 2) {
    std::fprintf(stderr, "usage: sanitizer-test <folder of the programs to run>\n");
    return 2;
  }
  folder = argv[1];
  return RUN_ALL_TESTS();
}
