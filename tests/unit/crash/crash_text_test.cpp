#include "crash/crash_text.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace freshet::core {
namespace {

class CrashTextTest : public ::testing::Test {
 protected:
  CrashTextTest() { text_.write_to(*area_); }
  std::string written() const { return {area_->text, area_->used.load()}; }

  const std::unique_ptr<CrashArea> area_ = std::make_unique<CrashArea>();
  CrashText text_;
};

TEST_F(CrashTextTest, SeparatesFieldsByTabsAndHoldsNoOtherControlCharacter) {
  text_.field("thread").field("a\tb\nc\x1b").end_line();
  text_.field("frame").field(0).field(255, 16).field(~std::uint64_t{0}).end_line();
  EXPECT_EQ(written(), "thread\ta b c \nframe\t0\tff\t18446744073709551615\n");
}

TEST_F(CrashTextTest, CountsALineOnceItIsComplete) {
  text_.field("whole").end_line();
  text_.field("half").field(1);
  EXPECT_EQ(written(), "whole\n");
}

TEST_F(CrashTextTest, EndsWithTheLastLineThatFits) {
  const std::string line(999, 'x');
  for (int i = 0; i < 1'000; ++i) text_.field(line).end_line();
  EXPECT_EQ(written().size(), CrashArea::kTextBytes / 1'000 * 1'000);
  EXPECT_TRUE(written().ends_with("x\n"));
}

TEST_F(CrashTextTest, WritesNothingBeforeItHasAnAreaAndAfterItIsClosed) {
  CrashText nowhere;
  nowhere.field("lost").end_line();
  text_.field("kept").end_line();
  text_.close();
  text_.field("lost").end_line();
  EXPECT_EQ(written(), "kept\n");
}

}  // namespace
}  // namespace freshet::core
