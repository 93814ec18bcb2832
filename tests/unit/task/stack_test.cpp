#include "task/stack.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>

#include "clock/clock.h"
#include "task/scheduler.h"

namespace freshet::core {
namespace {

// Not a tail call, and not to be seen through.
[[gnu::noinline]] int dig(int depth, volatile char* above) {
  volatile char here[512];
  here[0] = static_cast<char>(depth);
  const int below = depth > 0 ? dig(depth - 1, here) : 0;
  return below + here[0] + (above ? above[0] : 0);
}

TEST(StackPool, RoundsUpToPagesAndGuardsTheEnd) {
  StackPool pool;
  StackGuard guard;
  auto stack = pool.take(10'000, guard);
  EXPECT_GE(stack.size, 10'000u);
  EXPECT_EQ(stack.size % 4096, 0u);
  char* lowest = static_cast<char*>(stack.sp) - stack.size;
  EXPECT_EQ(guard.high, lowest);
  EXPECT_LT(guard.low, guard.high);
  std::memset(lowest, 1, stack.size);
  pool.give_back(stack);
}

TEST(SchedulerPool, GivesAFiberTheStackThatWasAskedFor) {
  SchedulerPool pool(SystemClock::instance(), 1);
  auto fiber = pool.spawn(
      0, "deep", [] { dig(4'000, nullptr); }, StackSize{std::size_t{16} * 1024 * 1024});
  fiber.finished().get();
}

using StackOverflowDeathTest = ::testing::Test;

TEST(StackOverflowDeathTest, NamesTheFiberAndTheOptionAndDiesByTheSignal) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        SchedulerPool pool(SystemClock::instance(), 2);
        pool.spawn(0, "innocent", [] {}).finished().get();
        pool.spawn(1, "regex of 'parse'", [] { dig(1'000'000'000, nullptr); }).finished().get();
      },
      [](int status) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
        return status != 0;
#else
        return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
#endif
      },
      "the stack of 'regex of 'parse'' has overflowed its 1024 KiB: raise task.stack-size");
}

TEST(StackOverflowDeathTest, LeavesOtherFaultsToTheHandlerBefore) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        signal(SIGSEGV, [](int) {
          static_cast<void>(!write(STDERR_FILENO, "mine\n", 5));
          _exit(3);
        });
        SchedulerPool pool(SystemClock::instance(), 1);
        pool.spawn(0, "wild",
                   [] {
                     volatile int* nowhere = reinterpret_cast<volatile int*>(16);
                     *nowhere = 1;
                   })
            .finished()
            .get();
      },
      ::testing::ExitedWithCode(3), "mine");
}

bool died_by_segv(int status) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return status != 0;
#else
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
#endif
}

// No instruction faults again then.
TEST(StackOverflowDeathTest, ASignalThatWasSentEndsTheProcessAtOnce) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        SchedulerPool pool(SystemClock::instance(), 1);
        pool.spawn(0, "raises", [] { ::raise(SIGSEGV); }).finished().get();
        ::_exit(0);
      },
      died_by_segv, "");
  EXPECT_EXIT(
      {
        SchedulerPool pool(SystemClock::instance(), 1);
        pool.spawn(0, "installs the handler", [] {}).finished().get();
        ::kill(::getpid(), SIGSEGV);
        ::_exit(0);
      },
      died_by_segv, "");
}

}  // namespace
}  // namespace freshet::core
