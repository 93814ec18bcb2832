// Rolling aggregates over words and other values, by keys that are views.
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

const std::uint64_t kCount = static_cast<std::uint64_t>(scaled(6'000, 600));

std::string line_of(std::uint64_t i) {
  std::string line;
  for (std::uint64_t k = 0; k < mixed(i) % 12; ++k) {
    const std::uint64_t word = mixed(i * 31 + k) % 97;
    line += std::string(word % 30, static_cast<char>('a' + word % 26)) + std::to_string(word) + " ";
  }
  return line;
}

struct Words {
  template <class Out>
  void operator()(const std::string& line, Out& out) const {
    std::string_view rest = line;
    while (!rest.empty()) {
      const std::size_t end = rest.find(' ');
      if (end) out(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
  }
};

template <class F>
void each_word(F&& f) {
  for (std::uint64_t i = 0; i < kCount; ++i) Words{}(line_of(i), f);
}
template <class Value>
std::vector<std::pair<std::string, Value>> rows_of(const std::map<std::string, Value>& values) {
  return {values.begin(), values.end()};
}

TEST(KeyedText, CountsOfWordsThatAreViewsAreTheOracles) {
  std::map<std::string, std::int64_t> expected;
  each_word([&](std::string_view word) { ++expected[std::string(word)]; });
  run_both_ways(
      [](auto& env) {
        return env.generate(&line_of, kCount)
            .template flat_map<std::string_view>(Words{})
            .key_by()
            .count()
            .execute_and_collect()
            .to_vector();
      },
      rows_of(expected));
}

TEST(KeyedText, SumsOfDoublesByWordAreTheOracles) {
  // Multiples of a quarter: their sums are exact in any order.
  std::map<std::string, double> expected;
  each_word([&](std::string_view word) {
    expected[std::string(word)] += static_cast<double>(word.size()) / 4;
  });
  run_both_ways(
      [](auto& env) {
        return env.generate(&line_of, kCount)
            .template flat_map<std::string_view>(Words{})
            .key_by([](std::string_view word) { return word; })
            .sum([](std::string_view word) { return static_cast<double>(word.size()) / 4; })
            .execute_and_collect()
            .to_vector();
      },
      rows_of(expected));
}

TEST(KeyedText, LeastAndGreatestViewsAreKeptAsTheirOwners) {
  std::map<std::string, std::string> least, greatest;
  each_word([&](std::string_view word) {
    const std::string key(word.substr(0, 1));
    const std::string value(word);
    auto [low, is_first] = least.try_emplace(key, value);
    if (value < low->second) low->second = value;
    auto [high, is_new] = greatest.try_emplace(key, value);
    if (high->second < value) high->second = value;
  });
  auto expected = rows_of(least);
  for (const auto& row : greatest) expected.push_back(row);
  run_both_ways(
      [](auto& env) {
        auto keyed = env.generate(&line_of, kCount)
                         .template flat_map<std::string_view>(Words{})
                         .key_by([](std::string_view word) { return word.substr(0, 1); });
        return keyed.min([](std::string_view word) { return word; })
            .union_with(keyed.max([](std::string_view word) { return word; }))
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(KeyedText, ReduceOfViewsWorksOnTheirOwners) {
  std::map<std::size_t, std::string> longest;
  each_word([&](std::string_view word) {
    std::string& kept = longest.try_emplace(word.size(), word).first->second;
    if (kept < word) kept = word;
  });
  std::vector<std::string> expected;
  for (const auto& [size, word] : longest) expected.push_back(word);
  run_both_ways(
      [](auto& env) {
        return env.generate(&line_of, kCount)
            .template flat_map<std::string_view>(Words{})
            .key_by([](std::string_view word) { return word.size(); })
            .reduce([](const std::string& a, const std::string& b) { return a < b ? b : a; })
            .execute_and_collect()
            .to_vector();
      },
      expected);
}

TEST(KeyedText, AResultCanBeKeyedAgain) {
  std::map<std::string, std::int64_t> counts;
  each_word([&](std::string_view word) { ++counts[std::string(word)]; });
  std::map<std::int64_t, std::int64_t> words_of_count;
  for (const auto& [word, count] : counts) ++words_of_count[count];
  run_both_ways(
      [](auto& env) {
        return env.generate(&line_of, kCount)
            .template flat_map<std::string_view>(Words{})
            .key_by()
            .count()
            .key_by([](const std::pair<std::string, std::int64_t>& row) { return row.second; })
            .count()
            .execute_and_collect()
            .to_vector();
      },
      std::vector<std::pair<std::int64_t, std::int64_t>>(words_of_count.begin(),
                                                         words_of_count.end()));
}

}  // namespace
}  // namespace freshet::testing
