#include "clock/clock.h"

#include <gtest/gtest.h>

namespace freshet::core {
namespace {

TEST(SystemClock, NeverGoesBack) {
  const auto& clock = SystemClock::instance();
  std::int64_t last = clock.now_ns();
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t now = clock.now_ns();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(clock.wall_ms(), 1'700'000'000'000);  // since November 2023
}

TEST(ManualClock, MovesOnlyWhenTold) {
  ManualClock clock(/*now_ns=*/5, /*wall_ms=*/100);
  EXPECT_EQ(clock.now_ns(), 5);
  EXPECT_EQ(clock.wall_ms(), 100);
  clock.advance_ns(999'999);
  clock.advance_ns(1'000'001);
  EXPECT_EQ(clock.now_ns(), 2'000'005);
  EXPECT_EQ(clock.wall_ms(), 102);
}

}  // namespace
}  // namespace freshet::core
