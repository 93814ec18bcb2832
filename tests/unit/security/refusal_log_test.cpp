#include "security/refusal_log.h"

#include <gtest/gtest.h>

#include "captured_log.h"

namespace freshet {
namespace {

TEST(RefusalLog, TellsTenLinesOfAFlood) {
  const testing::CapturedLog log;
  RefusalLog refusals;
  for (int i = 0; i < 1'000; ++i) refusals.tell("line " + std::to_string(i));
  ASSERT_EQ(log.lines().size(), 10u);
  EXPECT_EQ(log.lines().back(), "line 9");
}

TEST(RefusalLog, CutsWhatIsLongAndShowsNoControlCharacters) {
  const testing::CapturedLog log;
  RefusalLog refusals;
  refusals.tell("of '" + std::string(100'000, 'x') + "'");
  refusals.tell("a\nsecond \x1b[31mline");
  ASSERT_EQ(log.lines().size(), 2u);
  EXPECT_EQ(log.lines()[0].size(), 1'003u);
  EXPECT_EQ(log.lines()[1], "a?second ?[31mline");
}

}  // namespace
}  // namespace freshet
