// Numbers as text: the shortest that reads back, whatever the locale.
#include "freshet/text.h"

#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>
#include <tuple>

#include "freshet/accumulators.h"
#include "scratch_folder.h"

namespace freshet {
namespace {

template <class T>
std::string text_of(const T& value) {
  std::string text;
  append_text(text, value);
  return text;
}

TEST(Text, OfANumberIsTheShortestThatReadsBack) {
  EXPECT_EQ(text_of(0.1f), "0.1");
  EXPECT_EQ(text_of(16777216.f), "16777216");
  EXPECT_EQ(text_of(3.4e38f), "3.4e+38");
  EXPECT_EQ(text_of(0.1), "0.1");
  EXPECT_EQ(text_of(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(text_of(0.5L), "0.5");
  EXPECT_EQ(text_of(std::numeric_limits<float>::infinity()), "inf");
  EXPECT_EQ(text_of(std::tuple(1, 0.1f, 0.1)), "1\t0.1\t0.1");
  for (float value = 1e-30f; value < 1e30f; value *= 3.7f) {
    EXPECT_EQ(std::strtof(text_of(value).c_str(), nullptr), value);
  }
  for (long double value = 1e-300L; value < 1e300L; value *= 1237.1L) {
    EXPECT_EQ(std::strtold(text_of(value).c_str(), nullptr), value);
  }
}

TEST(Text, OfAnAccumulatorLosesNoDigit) {
  Accumulator sum(AccumulatorKind::kSum);
  sum.add(1e15);
  sum.add(1);
  EXPECT_EQ(sum.value().text(), "1000000000000001");
}

// A locale in which a number has a comma, and which is nothing else, made here: few machines have
// one.
class InAnotherLocale : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string source = folder_.write("commas.source",
                                             "LC_NUMERIC\ndecimal_point \",\"\nthousands_sep "
                                             "\"\"\ngrouping -1\nEND LC_NUMERIC\n");
    const std::string make = "localedef -c -f ANSI_X3.4-1968 --no-archive -i '" + source + "' '" +
                             folder_.path() + "/commas' >/dev/null 2>&1";
    static_cast<void>(std::system(make.c_str()));  // what is not defined makes it fail
    ::setenv("LOCPATH", folder_.path().c_str(), 1);
    if (std::setlocale(LC_NUMERIC, "commas") == nullptr) {
      GTEST_SKIP() << "localedef can't make a locale here (Debian: package locales)";
    }
  }
  void TearDown() override {
    std::setlocale(LC_NUMERIC, "C");
    ::unsetenv("LOCPATH");
  }
  testing::ScratchFolder folder_;
};

TEST_F(InAnotherLocale, NumbersKeepTheirPoint) {
  ASSERT_STREQ(std::localeconv()->decimal_point, ",");
  EXPECT_EQ(text_of(1.5), "1.5");
  Accumulator sum(AccumulatorKind::kSum);
  sum.add(1.5);
  EXPECT_EQ(sum.value().text(), "1.5");
  Accumulator histogram(AccumulatorKind::kHistogram);
  histogram.add(0.5);
  EXPECT_EQ(histogram.value().text(), "1 values, mean 0.5");
}

}  // namespace
}  // namespace freshet
