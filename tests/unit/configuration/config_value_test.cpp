#include "freshet/config_value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "freshet/options.h"

namespace freshet {
namespace {

using StringMap = std::map<std::string, std::string>;
using Strings = std::vector<std::string>;
using Random = std::mt19937_64;

template <class T>
::testing::AssertionResult refused(const std::string& text) {
  T value{};
  if (!ConfigValue<T>::parse(text, value)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << "'" << text << "' was read as '" << ConfigValue<T>::format(value) << "'";
}

template <class T>
T parsed(const std::string& text) {
  T value{};
  EXPECT_TRUE(ConfigValue<T>::parse(text, value)) << "'" << text << "'";
  return value;
}

// Text out of the characters that mean something to a parser, and of any bytes.
std::string random_text(Random& random, std::size_t longest) {
  static const std::string special = " ,:'\"\t\n.-+0123456789eExmskbdhinftrueINAN;[]{}";
  std::string text(random() % (longest + 1), ' ');
  for (char& c : text)
    c = random() % 8 == 0 ? static_cast<char>(random()) : special[random() % special.size()];
  return text;
}

std::int64_t random_integer(Random& random) {  // each magnitude equally likely
  return static_cast<std::int64_t>(random() >> (random() % 64));
}

template <class T>
struct Make;
template <>
struct Make<bool> {
  static bool value(Random& random) { return random() % 2 == 0; }
};
template <>
struct Make<std::int32_t> {
  static std::int32_t value(Random& random) { return static_cast<std::int32_t>(random()); }
};
template <>
struct Make<std::int64_t> {
  static std::int64_t value(Random& random) {
    return random_integer(random) * (random() % 2 == 0 ? 1 : -1);
  }
};
template <>
struct Make<double> {
  static double value(Random& random) {
    for (;;) {
      const std::uint64_t bits = random();
      double value = 0;
      static_assert(sizeof bits == sizeof value);
      std::memcpy(&value, &bits, sizeof value);
      if (std::isfinite(value)) return value;
    }
  }
};
template <>
struct Make<std::string> {
  static std::string value(Random& random) { return random_text(random, 12); }
};
template <>
struct Make<Duration> {
  static Duration value(Random& random) {
    const std::int64_t units[] = {1, 1'000, 1'000'000, 60'000'000'000, 86'400'000'000'000};
    const Duration made = Duration::of(random_integer(random) & INT64_MAX, units[random() % 5]);
    return made;
  }
};
template <>
struct Make<MemorySize> {
  static MemorySize value(Random& random) {
    return MemorySize::of(random() >> (random() % 64), std::uint64_t{1} << (10 * (random() % 5)));
  }
};
template <>
struct Make<RuntimeMode> {
  static RuntimeMode value(Random& random) { return static_cast<RuntimeMode>(random() % 3); }
};
template <class T>
struct Make<std::vector<T>> {
  static std::vector<T> value(Random& random) {
    std::vector<T> made;
    for (std::size_t n = random() % 5; n > 0; --n) made.push_back(Make<T>::value(random));
    return made;
  }
};
template <>
struct Make<StringMap> {
  static StringMap value(Random& random) {
    StringMap made;
    for (std::size_t n = random() % 5; n > 0; --n)
      made[random_text(random, 8)] = random_text(random, 8);
    return made;
  }
};

template <class T>
class EveryValueType : public ::testing::Test {};
using ValueTypes =
    ::testing::Types<bool, std::int32_t, std::int64_t, double, std::string, Duration, MemorySize,
                     RuntimeMode, StringMap, Strings, std::vector<bool>, std::vector<double>,
                     std::vector<Duration>, std::vector<RuntimeMode>, std::vector<Strings>,
                     std::vector<StringMap>>;
TYPED_TEST_SUITE(EveryValueType, ValueTypes);

TYPED_TEST(EveryValueType, ReadsBackWhatItWrites) {
  Random random(7);
  for (int i = 0; i < 3000; ++i) {
    const TypeParam value = Make<TypeParam>::value(random);
    const std::string text = ConfigValue<TypeParam>::format(value);
    TypeParam back{};
    ASSERT_TRUE(ConfigValue<TypeParam>::parse(text, back)) << text;
    ASSERT_TRUE(back == value) << text << " came back as " << ConfigValue<TypeParam>::format(back);
  }
}

// Any text is refused or is a value with a text of its own that stays: nothing half read.
TYPED_TEST(EveryValueType, RefusesOrSettlesOnAnyText) {
  Random random(11);
  for (int i = 0; i < 20000; ++i) {
    std::string text = random_text(random, 24);
    if (i % 2 == 0) {  // also nearly right text: a true value with one byte changed
      text = ConfigValue<TypeParam>::format(Make<TypeParam>::value(random));
      if (!text.empty()) text[random() % text.size()] = random_text(random, 1).c_str()[0];
    }
    TypeParam value{};
    if (!ConfigValue<TypeParam>::parse(text, value)) continue;
    const std::string settled = ConfigValue<TypeParam>::format(value);
    TypeParam again{};
    ASSERT_TRUE(ConfigValue<TypeParam>::parse(settled, again)) << text << " -> " << settled;
    ASSERT_EQ(ConfigValue<TypeParam>::format(again), settled) << text;
  }
}

TEST(ConfigValue, OfBoolIsTrueOrFalseInAnyCase) {
  EXPECT_TRUE(parsed<bool>("true"));
  EXPECT_TRUE(parsed<bool>(" TRUE "));
  EXPECT_FALSE(parsed<bool>("False"));
  for (const char* text : {"", "yes", "1", "tru", "truee", "true false"})
    EXPECT_TRUE(refused<bool>(text));
}

TEST(ConfigValue, OfIntegersTakesTheirWholeRangeAndNoMore) {
  EXPECT_EQ(parsed<std::int32_t>("2147483647"), INT32_MAX);
  EXPECT_EQ(parsed<std::int32_t>("-2147483648"), INT32_MIN);
  EXPECT_EQ(parsed<std::int64_t>("9223372036854775807"), INT64_MAX);
  EXPECT_EQ(parsed<std::int64_t>("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(parsed<std::int32_t>(" 7\n"), 7);
  EXPECT_TRUE(refused<std::int32_t>("2147483648"));
  EXPECT_TRUE(refused<std::int32_t>("-2147483649"));
  EXPECT_TRUE(refused<std::int64_t>("9223372036854775808"));
  for (const char* text :
       {"", " ", "-", "+1", "0x10", "1e3", "1.0", "1 000", "1,000", "four", "1k"})
    EXPECT_TRUE(refused<std::int64_t>(text));
}

TEST(ConfigValue, OfDoubleIsFinite) {
  EXPECT_EQ(parsed<double>("0.5"), 0.5);
  EXPECT_EQ(parsed<double>("-1e-3"), -1e-3);
  EXPECT_EQ(parsed<double>("1.7976931348623157e308"), std::numeric_limits<double>::max());
  for (const char* text : {"", "nan", "inf", "-inf", "1e999", "1.5x", "0,5", ".", "e5"})
    EXPECT_TRUE(refused<double>(text));
}

TEST(ConfigValue, OfDurationHasAUnit) {
  EXPECT_EQ(parsed<Duration>("10 s"), seconds(10));
  EXPECT_EQ(parsed<Duration>("10s"), seconds(10));
  EXPECT_EQ(parsed<Duration>("  3   MIN "), minutes(3));
  EXPECT_EQ(parsed<Duration>("2 h"), hours(2));
  EXPECT_EQ(parsed<Duration>("1 d"), days(1));
  EXPECT_EQ(parsed<Duration>("5 us"), microseconds(5));
  EXPECT_EQ(parsed<Duration>("0"), Duration());
  EXPECT_EQ(parsed<Duration>("9223372036854775807 ns"), Duration::max());
  for (const char* text : {"", "10", "s", "-1 s", "1.5 s", "10 sec", "10 m", "1 s 5", "1 s 5 ms",
                           "9223372036854775807 s", "9223372036854775808 ns", "106752 d"})
    EXPECT_TRUE(refused<Duration>(text));
}

TEST(ConfigValue, OfDurationIsWrittenInItsLargestWholeUnit) {
  EXPECT_EQ(ConfigValue<Duration>::format(milliseconds(100)), "100 ms");
  EXPECT_EQ(ConfigValue<Duration>::format(seconds(90)), "90 s");
  EXPECT_EQ(ConfigValue<Duration>::format(seconds(120)), "2 min");
  EXPECT_EQ(ConfigValue<Duration>::format(Duration()), "0 ms");
}

TEST(ConfigValue, OfMemorySizeCountsIn1024) {
  EXPECT_EQ(parsed<MemorySize>("32 kb"), MemorySize(32768));
  EXPECT_EQ(parsed<MemorySize>("32k"), MemorySize(32768));
  EXPECT_EQ(parsed<MemorySize>("1 MiB"), MemorySize::megabytes(1));
  EXPECT_EQ(parsed<MemorySize>("4096"), MemorySize(4096));
  EXPECT_EQ(parsed<MemorySize>("18446744073709551615"), MemorySize(UINT64_MAX));
  for (const char* text : {"", "kb", "-1", "-1 kb", "1.5 mb", "1 pb", "1 kbit", "1 kb kb",
                           "18446744073709551616", "18014398509481984 kb", "99999999999 tb"})
    EXPECT_TRUE(refused<MemorySize>(text));
  EXPECT_EQ(ConfigValue<MemorySize>::format(MemorySize::megabytes(256)), "256 mb");
  EXPECT_EQ(ConfigValue<MemorySize>::format(MemorySize(1025)), "1025 b");
}

TEST(ConfigValue, OfEnumIsOneOfItsNamesAndSaysWhich) {
  EXPECT_EQ(parsed<RuntimeMode>("Batch"), RuntimeMode::kBatch);
  for (const char* text : {"", "bat", "batch,streaming", "2"})
    EXPECT_TRUE(refused<RuntimeMode>(text));
  EXPECT_EQ(ConfigValue<RuntimeMode>::expected(), "one of streaming, batch, automatic");
}

TEST(ConfigValue, OfStringIsTheTextAsItStands) {
  EXPECT_EQ(parsed<std::string>(" a 'b' "), " a 'b' ");
  EXPECT_EQ(parsed<std::string>(""), "");
}

TEST(ConfigValue, OfListSplitsAtCommasOutsideQuotes) {
  EXPECT_EQ(parsed<Strings>(""), Strings());
  EXPECT_EQ(parsed<Strings>(" a , b "), (Strings{"a", "b"}));
  EXPECT_EQ(parsed<Strings>("'a,b',' c','it''s',''"), (Strings{"a,b", " c", "it's", ""}));
  EXPECT_EQ(parsed<std::vector<Duration>>("1 s, 2 ms"), (std::vector{seconds(1), milliseconds(2)}));
  EXPECT_EQ(ConfigValue<Strings>::format({"/a", "b c", "d,e"}), "/a,b c,'d,e'");
  for (const char* text : {",", "a,", ",a", "a,,b", "'a", "'a'b", "a'b", "''''' "})
    EXPECT_TRUE(refused<Strings>(text));
  EXPECT_TRUE(refused<std::vector<Duration>>("1 s,2"));
}

TEST(ConfigValue, OfMapSplitsAtTheFirstColonOfEachItem) {
  EXPECT_EQ(parsed<StringMap>("a:1, b : x:y"), (StringMap{{"a", "1"}, {"b", "x:y"}}));
  EXPECT_EQ(parsed<StringMap>("a:,'b:c':'1,2'"), (StringMap{{"a", ""}, {"b:c", "1,2"}}));
  EXPECT_EQ(parsed<StringMap>(""), StringMap());
  for (const char* text : {"a", "a:1,", ":1", "a:1,a:2", "a:'1", "'a'x:1", "a:1,,b:2", ","})
    EXPECT_TRUE(refused<StringMap>(text));
}

TEST(Duration, StopsAtItsLargestValueInsteadOfWrapping) {
  EXPECT_EQ(days(1'000'000), Duration::max());
  EXPECT_EQ(days(-1'000'000), Duration::min());
  EXPECT_EQ(Duration::max() + seconds(1), Duration::max());
  EXPECT_EQ(Duration::min() - seconds(1), Duration::min());
  EXPECT_EQ(seconds(2) - milliseconds(500), milliseconds(1500));
  EXPECT_LT(milliseconds(999), seconds(1));
}

TEST(MemorySize, StopsAtItsLargestValueInsteadOfWrapping) {
  EXPECT_EQ(MemorySize::gigabytes(UINT64_MAX), MemorySize(UINT64_MAX));
  EXPECT_EQ(MemorySize::kilobytes(64).bytes(), 65536u);
}

}  // namespace
}  // namespace freshet
