#include "security/peer_log.h"

#include <gtest/gtest.h>

#include "captured_log.h"

namespace freshet::core {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

TEST(PeerLog, LogsTenLinesOfAFlood) {
  const testing::CapturedLog captured;
  const ManualClock clock;
  PeerLog log(10, clock);
  for (int i = 0; i < 1'000; ++i) log.warn("line " + std::to_string(i));
  ASSERT_EQ(captured.lines().size(), 10u);
  EXPECT_EQ(captured.lines().back(), "line 9");
}

TEST(PeerLog, LogsALineForEachSecondAndHowManyItLeftOut) {
  const testing::CapturedLog captured;
  ManualClock clock;
  PeerLog log(10, clock);
  for (int tenth = 0; tenth < 10; ++tenth) {
    for (int i = 0; i < 100; ++i) log.info("line");
    clock.advance_ns(kSecond / 10);
  }
  ASSERT_EQ(captured.lines().size(), 10u);
  log.info("after a second");
  log.info("at once");
  ASSERT_EQ(captured.lines().size(), 11u);
  EXPECT_EQ(captured.lines().back(),
            "after a second (and 990 lines before this one were left out)");
  clock.advance_ns(1'000 * kSecond);
  for (int i = 0; i < 1'000; ++i) log.info("line");
  EXPECT_EQ(captured.lines().size(), 21u) << "ten at once, however long it was quiet";
}

TEST(PeerLog, CutsWhatIsLongAndShowsNoControlCharacters) {
  const testing::CapturedLog captured;
  const ManualClock clock;
  PeerLog log(10, clock);
  log.warn("of '" + std::string(100'000, 'x') + "'");
  log.info("a\nsecond \x1b[31mline");
  ASSERT_EQ(captured.lines().size(), 2u);
  EXPECT_EQ(captured.lines()[0].size(), 1'003u);
  EXPECT_EQ(captured.lines()[1], "a?second ?[31mline");
}

}  // namespace
}  // namespace freshet::core
