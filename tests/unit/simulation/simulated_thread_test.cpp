#include "simulation/simulated_thread.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "freshet/future.h"

namespace freshet::core {
namespace {

// What a run does: fibers and timers of two processes that tell each other things.
std::string story(std::uint64_t seed) {
  SimulatedThread thread(seed);
  std::string told;
  auto one = thread.process("one"), two = thread.process("two");
  for (int i = 0; i < 5; ++i) {
    one->post("fiber", [&, i] { told += static_cast<char>('a' + i); });
    two->after_ms(i % 2, "timer", [&, i] { told += static_cast<char>('A' + i); });
  }
  thread.run_for(10);
  return told;
}

TEST(SimulatedThread, DoesTheSameForASeedAndOtherThingsForOthers) {
  std::set<std::string> stories;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const std::string told = story(seed);
    EXPECT_EQ(told, story(seed));
    EXPECT_EQ(told.size(), 10u);
    stories.insert(told);
  }
  EXPECT_GT(stories.size(), 10u);
}

TEST(SimulatedThread, RunsTimersInTheOrderOfTheirTimeAndMovesTheClockToThem) {
  SimulatedThread thread(1);
  const std::int64_t begin = thread.clock().now_ns();
  std::vector<std::int64_t> at_ms;
  for (int ms : {30, 10, 20}) {
    thread.after_ms(ms, "timer",
                    [&] { at_ms.push_back((thread.clock().now_ns() - begin) / 1'000'000); });
  }
  const TimerId dropped = thread.after_ms(15, "dropped", [] { FAIL(); });
  thread.cancel(dropped);
  thread.cancel(dropped);
  thread.run_for(25);
  EXPECT_EQ(at_ms, (std::vector<std::int64_t>{10, 20}));
  thread.run_for(25);
  EXPECT_EQ(at_ms, (std::vector<std::int64_t>{10, 20, 30}));
  EXPECT_EQ(thread.clock().now_ns() - begin, 50'000'000);
}

TEST(SimulatedThread, MovesTheClockToTheEndOfATimedWait) {
  SimulatedThread thread(1);
  Promise<void> never;
  bool gave_up = false;
  thread.post("waits", [&] { gave_up = !never.future().get_for(5'000); });
  EXPECT_FALSE(thread.run_until([&] { return gave_up; }, 4'999));
  EXPECT_TRUE(thread.run_until([&] { return gave_up; }, 1));
}

TEST(SimulatedThread, EndsTheFibersAndTimersOfAProcessAlone) {
  SimulatedThread thread(1);
  auto one = thread.process("one"), two = thread.process("two");
  Promise<void> news;
  int told_one = 0, told_two = 0;
  bool unwound = false;
  one->post("waits", [&] {
    struct Unwound {
      bool& flag;
      ~Unwound() { flag = true; }
    } mark{unwound};
    news.future().get();
    ++told_one;
  });
  two->post("waits", [&] {
    news.future().get();
    ++told_two;
  });
  one->after_ms(1, "timer", [&] { ++told_one; });
  two->after_ms(1, "timer", [&] { ++told_two; });
  thread.run_until_idle();
  one.reset();
  EXPECT_TRUE(unwound);
  news.set_value();
  thread.run_for(10);
  EXPECT_EQ(told_one, 0);
  EXPECT_EQ(told_two, 2);
}

TEST(SimulatedThread, ThrowsWhatAFiberThrew) {
  SimulatedThread thread(1);
  thread.post("fails", [] { throw std::logic_error("broken"); });
  EXPECT_THROW(thread.run_until_idle(), std::logic_error);
}

}  // namespace
}  // namespace freshet::core
