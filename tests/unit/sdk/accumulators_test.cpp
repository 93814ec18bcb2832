#include "freshet/accumulators.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "freshet/error.h"
#include "scale.h"

namespace freshet {
namespace {

using testing::scaled;
using Kind = AccumulatorKind;

AccumulatorValue value_of(Kind kind, const std::vector<double>& values) {
  Accumulator accumulator(kind);
  for (const double value : values) accumulator.add(value);
  return accumulator.value();
}

TEST(Accumulator, SaysWhatItsKindIsOf) {
  const std::vector<double> values{4, -2.5, 10};
  EXPECT_EQ(value_of(Kind::kSum, values).text(), "11.5");
  EXPECT_EQ(value_of(Kind::kMin, values).text(), "-2.5");
  EXPECT_EQ(value_of(Kind::kMax, values).text(), "10");
  EXPECT_EQ(value_of(Kind::kHistogram, {2, 4}).text(), "2 values, mean 3");
  EXPECT_EQ(value_of(Kind::kMin, {}).text(), "none");
  EXPECT_EQ(value_of(Kind::kMax, {}).text(), "none");
  EXPECT_EQ(value_of(Kind::kSum, {}).text(), "0");
  EXPECT_EQ(value_of(Kind::kHistogram, {}).text(), "0 values, mean 0");
}

TEST(Accumulator, ACountTakesWholeNumbersOfThings) {
  Accumulator count(Kind::kCount);
  count.add();
  count.add(41);
  EXPECT_EQ(count.value().count, 42u);
  EXPECT_EQ(count.value().text(), "42");
  for (const double nothing : {std::nan(""), -3.0, -HUGE_VAL, 0.5}) count.add(nothing);
  EXPECT_EQ(count.value().count, 42u);
}

TEST(Accumulator, ACountThatDoesNotFitIsAnErrorAndNeverWraps) {
  Accumulator count(Kind::kCount);
  count.add(0x1p63);
  for (const double more : {0x1p63, 0x1p64, HUGE_VAL}) {
    try {
      count.add(more);
      ADD_FAILURE() << more;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find("has counted 9223372036854775808, and "),
                std::string::npos)
          << error.what();
    }
  }
  EXPECT_EQ(count.value().count, std::uint64_t{1} << 63);
  AccumulatorValue total = count.value();
  total.merge(count.value(), "n");
  EXPECT_EQ(total.count, UINT64_MAX) << "of several subtasks";
}

TEST(Accumulator, AHistogramHasABucketForEachPowerOfTwo) {
  const auto bucket = [](double value) {
    const AccumulatorValue histogram = value_of(Kind::kHistogram, {value});
    const auto found = std::find(histogram.buckets.begin(), histogram.buckets.end(), 1u);
    return found - histogram.buckets.begin();
  };
  EXPECT_EQ(bucket(-7), 0);
  EXPECT_EQ(bucket(0.999), 0);
  EXPECT_EQ(bucket(std::nan("")), 0);
  for (int i = 1; i < 60; ++i) {
    EXPECT_EQ(bucket(std::ldexp(1, i - 1)), i) << "its lower bound belongs to it";
    EXPECT_EQ(bucket(std::nextafter(std::ldexp(1, i), 0)), i) << "its upper one does not";
  }
  EXPECT_EQ(bucket(std::numeric_limits<double>::infinity()), bucket(1e300)) << "the last";
}

TEST(Accumulator, KeepsBytesAsTheyCame) {
  Accumulator bytes(Kind::kBytes);
  bytes.add_bytes(std::string("\0x", 2));
  bytes.add_bytes("");
  EXPECT_EQ(bytes.value().items, (std::vector<std::string>{std::string("\0x", 2), ""}));
  EXPECT_EQ(bytes.value().text(), "2 items");
}

TEST(Accumulator, RefusesWhatItsKindDoesNotTake) {
  Accumulator bytes(Kind::kBytes), sum(Kind::kSum);
  EXPECT_THROW(bytes.add(1), InvalidInput);
  try {
    sum.add_bytes("x");
    FAIL() << "taken";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "bytes were added to an accumulator of kind sum: ask for AccumulatorKind::kBytes");
  }
  EXPECT_EQ(bytes.value().count, 0u);
  EXPECT_EQ(sum.value().count, 0u);
}

TEST(Accumulator, OfTwoKindsIsNotMerged) {
  AccumulatorValue sum = value_of(Kind::kSum, {1});
  try {
    sum.merge(value_of(Kind::kMax, {2}), "rain");
    FAIL() << "merged";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "accumulator 'rain' is used as sum and as max: give one of them another name");
  }
  EXPECT_EQ(sum.number, 1);
}

// Values put into any number of subtasks merge to what one would have of them all.
TEST(Accumulator, MergedIsAsOneWouldBeOfAllValues) {
  for (const Kind kind : {Kind::kSum, Kind::kMin, Kind::kMax, Kind::kHistogram}) {
    for (int seed = 0; seed < scaled(100, 20); ++seed) {
      std::mt19937 random(static_cast<unsigned>(seed));
      std::vector<double> all;
      std::vector<std::vector<double>> parts(1 + random() % 5);
      for (std::size_t i = 0; i < random() % 30; ++i) {
        all.push_back(static_cast<double>(random() % 4001) - 2000);  // whole: sums are exact
        parts[random() % parts.size()].push_back(all.back());
      }
      AccumulatorValue merged = value_of(kind, {});
      for (const auto& part : parts) merged.merge(value_of(kind, part), "a");
      const AccumulatorValue expected = value_of(kind, all);
      EXPECT_EQ(merged.count, expected.count) << name_of(kind) << " seed " << seed;
      EXPECT_EQ(merged.number, expected.number) << name_of(kind) << " seed " << seed;
      EXPECT_EQ(merged.buckets, expected.buckets) << name_of(kind) << " seed " << seed;
    }
  }
}

std::string refused(Accumulator& accumulator, std::size_t bytes) {
  try {
    accumulator.add_bytes(std::string(bytes, 'x'));
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "";
}

TEST(Accumulator, OfBytesSaysItsNameAndTheLimitWhenThereAreTooMany) {
  const auto total = std::make_shared<detail::AccumulatedBytes>();
  Accumulator words(Kind::kBytes, "words", total), lines(Kind::kBytes, "lines", total);
  EXPECT_EQ(refused(words, kMostAccumulatedBytes / 2), "");
  EXPECT_EQ(refused(lines, kMostAccumulatedBytes / 4), "");
  const std::string text = refused(lines, kMostAccumulatedBytes / 4);
  EXPECT_NE(text.find("for accumulator 'lines' is too much"), std::string::npos) << text;
  EXPECT_NE(text.find("the limit of a job is 16777216"), std::string::npos) << text;
  EXPECT_EQ(lines.value().items.size(), 1u) << "what was refused is not there";
  EXPECT_EQ(refused(words, kMostAccumulatedBytes / 8), "") << "and does not count";
}

TEST(Accumulator, OfBytesCountsItemsWithoutAByte) {
  Accumulator empty(Kind::kBytes);
  std::size_t items = 0;
  while (refused(empty, 0).empty()) ++items;
  EXPECT_EQ(items, kMostAccumulatedBytes / detail::kAccumulatedItem);
}

}  // namespace
}  // namespace freshet
