// Rolling aggregates by keys that are numbers or pairs, against std::map.
#include <cmath>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "freshet/error.h"
#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

const std::uint64_t kCount = static_cast<std::uint64_t>(scaled(20'000, 1'000));

struct Sale {
  std::uint32_t shop;
  std::int32_t item;
  std::int64_t cents;
  bool operator==(const Sale&) const = default;
  auto operator<=>(const Sale&) const = default;
};

Sale sale_of(std::uint64_t i) {
  return {static_cast<std::uint32_t>(mixed(i) % 50), static_cast<std::int32_t>(mixed(i) % 7) - 3,
          static_cast<std::int64_t>(mixed(i + 1) % 100'000) - 50'000};
}

template <class Key, class Value>
std::vector<std::pair<Key, Value>> rows_of(const std::map<Key, Value>& values) {
  return {values.begin(), values.end()};
}

// The value that each key had last; the updates of one key arrive in their order.
template <class Key, class Value>
std::vector<std::pair<Key, Value>> last_of_each(const std::vector<std::pair<Key, Value>>& rows) {
  std::map<Key, Value> last;
  for (const auto& [key, value] : rows) last[key] = value;
  return rows_of(last);
}

TEST(KeyedNumbers, SumsByKeyAreTheOracles) {
  std::map<std::uint32_t, std::int64_t> expected;
  for (std::uint64_t i = 0; i < kCount; ++i) expected[sale_of(i).shop] += sale_of(i).cents;
  run_both_ways(
      [](auto& env) {
        return env.generate(&sale_of, kCount)
            .key_by(&Sale::shop)
            .sum(&Sale::cents)
            .execute_and_collect()
            .to_vector();
      },
      rows_of(expected));
}

TEST(KeyedNumbers, MinMaxAndCountByPairsAreTheOracles) {
  using Key = std::pair<std::uint32_t, std::int32_t>;
  std::map<Key, std::int64_t> least, most, counts;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const Sale sale = sale_of(i);
    const Key key(sale.shop, sale.item);
    least[key] = std::min(least.try_emplace(key, sale.cents).first->second, sale.cents);
    most[key] = std::max(most.try_emplace(key, sale.cents).first->second, sale.cents);
    ++counts[key];
  }
  std::vector<std::pair<Key, std::int64_t>> expected = rows_of(least);
  for (const auto& row : most) expected.push_back(row);
  for (const auto& row : counts) expected.push_back(row);
  run_both_ways(
      [](auto& env) {
        auto keyed = env.generate(&sale_of, kCount).key_by([](const Sale& sale) {
          return Key(sale.shop, sale.item);
        });
        return keyed.min(&Sale::cents)
            .union_with(keyed.max(&Sale::cents), keyed.count())
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(KeyedNumbers, ReduceKeepsTheRecordThatItsFunctionKeeps) {
  std::map<std::uint32_t, Sale> best;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const Sale sale = sale_of(i);
    Sale& kept = best.try_emplace(sale.shop, sale).first->second;
    kept = std::max(kept, sale);
  }
  std::vector<Sale> expected;
  for (const auto& [shop, sale] : best) expected.push_back(sale);
  run_both_ways(
      [](auto& env) {
        return env.generate(&sale_of, kCount)
            .key_by(&Sale::shop)
            .reduce([](const Sale& a, const Sale& b) { return a < b ? b : a; })
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(KeyedNumbers, StreamingEmitsEveryUpdateAndEndsAtTheValuesOfBatch) {
  std::map<std::uint32_t, std::int64_t> expected;
  for (std::uint64_t i = 0; i < kCount; ++i) ++expected[sale_of(i).shop];
  run_ways(
      streaming_ways(),
      [](auto& env) {
        return env.generate(&sale_of, kCount)
            .key_by(&Sale::shop)
            .count()
            .execute_and_collect()
            .to_vector();
      },
      [&](const std::vector<std::pair<std::uint32_t, std::int64_t>>& rows, const Way&) {
        ASSERT_EQ(rows.size(), kCount);
        EXPECT_EQ(last_of_each(rows), rows_of(expected));
        std::map<std::uint32_t, std::int64_t> seen;
        for (const auto& [shop, count] : rows) ASSERT_EQ(count, ++seen[shop]) << "shop " << shop;
      });
}

TEST(KeyedNumbers, RecordsOfAKeyKeepTheOrderOfTheirWriter) {
  // (shop, writer's number); one source subtask, so that there is one order.
  run_ways(
      streaming_ways(),
      [](auto& env) {
        return env.from_sequence(0, 4999)
            .set_parallelism(1)
            .map([](const std::int64_t& i) {
              return std::pair<std::int64_t, std::int64_t>(i % 11, i);
            })
            .set_parallelism(1)
            .key_by(&std::pair<std::int64_t, std::int64_t>::first)
            .reduce([](const auto&, const auto& next) { return next; })
            .execute_and_collect()
            .to_vector();
      },
      [](const std::vector<std::pair<std::int64_t, std::int64_t>>& rows, const Way&) {
        ASSERT_EQ(rows.size(), 5000u);
        std::map<std::int64_t, std::int64_t> last;
        for (const auto& [key, number] : rows) {
          const auto seen = last.find(key);
          ASSERT_EQ(number, seen == last.end() ? key : seen->second + 11);
          last[key] = number;
        }
      });
}

TEST(KeyedNumbers, BothZerosAreOneKeyAndSoAreAllNans) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  std::vector<double> keys;
  for (int i = 0; i < 300; ++i) {
    const double choice[] = {0.0, -0.0, nan, -nan, std::nan("7"), infinity, -infinity, 1.5};
    keys.push_back(choice[mixed(static_cast<std::uint64_t>(i)) % 8]);
  }
  std::map<std::string, std::int64_t> expected;
  const auto name = [](double key) {
    return std::isnan(key) ? std::string("nan") : std::to_string(key == 0 ? 0.0 : key);
  };
  for (const double key : keys) ++expected[name(key)];
  run_ways(
      ways(),
      [&](auto& env) {
        return env.from_collection(keys)
            .rebalance()
            .key_by()
            .count()
            .execute_and_collect()
            .to_vector();
      },
      [&](const std::vector<std::pair<double, std::int64_t>>& rows, const Way&) {
        EXPECT_EQ(rows.size(), expected.size());
        for (const auto& [key, count] : rows) EXPECT_EQ(count, expected[name(key)]) << key;
      });
}

TEST(KeyedNumbers, OneKeyForEverythingIsNoTrouble) {
  const auto count = static_cast<std::int64_t>(scaled(400'000, 10'000));
  run_both_ways(
      [&](auto& env) {
        return env.from_sequence(1, count)
            .key_by([](const std::int64_t&) { return 7; })
            .sum([](const std::int64_t& i) { return i; })
            .execute_and_collect()
            .to_vector();
      },
      std::vector<std::pair<int, std::int64_t>>{{7, count * (count + 1) / 2}});
}

TEST(KeyedNumbers, NoRecordsGiveNoKeys) {
  run_both_ways(
      [](auto& env) {
        return env.from_sequence(1, 0).key_by().count().execute_and_collect().to_vector();
      },
      std::vector<std::pair<std::int64_t, std::int64_t>>{});
}

template <class Integer>
void expect_a_wide_sum() {
  constexpr auto kMost = std::numeric_limits<Integer>::max();
  constexpr std::int64_t kRecords = 1'000;
  using Sum = std::conditional_t<std::is_signed_v<Integer>, std::int64_t, std::uint64_t>;
  run_both_ways(
      [&](auto& env) {
        return env.from_sequence(1, kRecords)
            .key_by([](const std::int64_t&) { return 7; })
            .sum([](const std::int64_t&) { return kMost; })
            .execute_and_collect()
            .to_vector();
      },
      std::vector<std::pair<int, Sum>>{{7, static_cast<Sum>(kMost) * kRecords}});
}

TEST(KeyedNumbers, SumsOfNarrowIntegersHaveRoomForThem) {
  expect_a_wide_sum<std::int8_t>();
  expect_a_wide_sum<std::uint8_t>();
  expect_a_wide_sum<std::int16_t>();
  expect_a_wide_sum<std::uint16_t>();
  expect_a_wide_sum<std::int32_t>();
  expect_a_wide_sum<std::uint32_t>();
}

template <class Integer>
std::string failure_of_sum(std::vector<Integer> values) {
  auto env = Way{}.environment();
  env.from_collection(std::move(values))
      .key_by([](const Integer&) { return 7; })
      .sum([](const Integer& i) { return i; })
      .name("total")
      .discard();
  try {
    env.execute();
  } catch (const JobFailed& failed) {
    EXPECT_EQ(failed.failure().operator_name, "total");
    return failed.failure().message;
  }
  return "none";
}

TEST(KeyedNumbers, ASumThatDoesNotFitFailsTheJobWithBothNumbers) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  const auto expect_told = [](const std::string& said, const std::string& sum,
                              const std::string& value) {
    EXPECT_NE(said.find("the sum of a key is " + sum + ", and " + value + " more does not fit"),
              std::string::npos)
        << said;
  };
  EXPECT_EQ(failure_of_sum<std::int64_t>({kMost - 1, 1, kLeast, 1}), "none");
  expect_told(failure_of_sum<std::int64_t>({kMost - 1, 1, 1}), "9223372036854775807", "1");
  expect_told(failure_of_sum<std::int64_t>({kLeast, -1}), "-9223372036854775808", "-1");
  expect_told(failure_of_sum<std::uint64_t>({UINT64_MAX, 3}), "18446744073709551615", "3");
}

}  // namespace
}  // namespace freshet::testing
