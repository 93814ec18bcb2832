#include "freshet/key_hash.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "scale.h"

namespace freshet {
namespace {

enum class Color : std::uint8_t { kRed = 1, kBlue = 200 };

struct Point {
  std::int32_t x;
  double y;
};

struct Padded {
  char tag;
  std::int64_t value;
  std::string text;
};

struct CaseBlind {
  std::string text;
};

struct NoEquality {
  int x;
};

}  // namespace

template <>
struct KeyHash<CaseBlind> {
  static std::string lower(const CaseBlind& key) {
    std::string text = key.text;
    for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    return text;
  }
  static std::uint64_t hash(const CaseBlind& key) { return key_hash(lower(key)); }
  static bool equal(const CaseBlind& a, const CaseBlind& b) { return lower(a) == lower(b); }
};

template <>
struct KeyHash<NoEquality> {
  static std::uint64_t hash(const NoEquality& key) { return key_hash(key.x); }
};

namespace {

struct HoldsPointer {
  int x;
  const char* p;
};
class NoHash {
 public:
  explicit NoHash(int x) : x_(x) {}
  int x() const { return x_; }

 private:
  int x_;
};

static_assert(KeyType<int> && KeyType<std::string> && KeyType<std::string_view> && KeyType<Color> &&
              KeyType<Padded> && KeyType<CaseBlind>);
static_assert(KeyType<std::tuple<int, std::optional<std::string>, std::vector<Point>>>);
static_assert(!KeyType<int*> && !KeyType<HoldsPointer> && !KeyType<NoHash> && !KeyType<NoEquality>);
static_assert(!KeyType<std::map<int, int>> && !KeyType<std::pair<int, NoHash>>);
static_assert(detail::key_problem<NoEquality> == detail::KeyProblem::kNoEquality);
static_assert(detail::key_problem<HoldsPointer> == detail::KeyProblem::kPointer);
static_assert(detail::key_problem<NoHash> == detail::KeyProblem::kNoHash);

template <class A, class B>
void expect_one_key(const A& a, const B& b) {
  EXPECT_TRUE(key_equal(a, b));
  EXPECT_EQ(key_hash(a), key_hash(b));
}

template <class A, class B>
void expect_two_keys(const A& a, const B& b) {
  EXPECT_FALSE(key_equal(a, b));
  EXPECT_NE(key_hash(a), key_hash(b));
}

std::string hex(std::uint64_t value) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
  return text;
}

// Name and hash of keys of every kind.
std::vector<std::pair<std::string, std::uint64_t>> sample_hashes() {
  using namespace std::string_literals;
  std::vector<std::pair<std::string, std::uint64_t>> all;
  for (std::int64_t i : {std::int64_t{0}, std::int64_t{1}, std::int64_t{-1}, std::int64_t{5},
                         std::int64_t{1} << 40, std::numeric_limits<std::int64_t>::min()})
    all.emplace_back("int " + std::to_string(i), key_hash(i));
  all.emplace_back("uint8 255", key_hash(std::uint8_t{255}));
  all.emplace_back("char a", key_hash('a'));
  all.emplace_back("bool true", key_hash(true));
  all.emplace_back("enum 200", key_hash(Color::kBlue));
  all.emplace_back("double 0", key_hash(0.0));
  all.emplace_back("double 2.5", key_hash(2.5));
  all.emplace_back("float -2.5", key_hash(-2.5f));
  all.emplace_back("double nan", key_hash(std::nan("")));
  all.emplace_back("double inf", key_hash(std::numeric_limits<double>::infinity()));
  std::string text;
  for (int size = 0; size <= 40; ++size) {
    all.emplace_back("string of " + std::to_string(size), key_hash(text));
    text += static_cast<char>('a' + size * 7 % 26);
  }
  all.emplace_back("string with a zero byte", key_hash("a\0b"s));
  all.emplace_back("string of 1000", key_hash(std::string(1000, 'z')));
  all.emplace_back("pair 1 rain", key_hash(std::pair(1, "rain"s)));
  all.emplace_back("tuple", key_hash(std::tuple(1, 2.5, true)));
  all.emplace_back("tuple of none", key_hash(std::tuple<>()));
  all.emplace_back("aggregate", key_hash(Padded{'t', 7, "melt"}));
  all.emplace_back("array", key_hash(std::array<int, 3>{1, 2, 3}));
  all.emplace_back("vector", key_hash(std::vector<int>{1, 2, 3}));
  all.emplace_back("vector of none", key_hash(std::vector<int>{}));
  all.emplace_back("optional of none", key_hash(std::optional<int>()));
  all.emplace_back("optional 1", key_hash(std::optional<int>(1)));
  all.emplace_back("variant 0", key_hash(std::variant<int, std::string>(1)));
  all.emplace_back("variant 1", key_hash(std::variant<int, std::string>("rain")));
  return all;
}

// FRESHET_WRITE_GOLDEN=1 writes the file anew: every job's state then moves to other key groups.
TEST(KeyHash, IsThatOfTheGoldenFile) {
  const char* root = std::getenv("FRESHET_SOURCE_ROOT");
  ASSERT_NE(root, nullptr) << "meson test sets FRESHET_SOURCE_ROOT to the top of the sources";
  const std::string path = std::string(root) + "/tests/unit/golden/key_hashes.txt";
  const auto hashes = sample_hashes();
  if (std::getenv("FRESHET_WRITE_GOLDEN") != nullptr) {
    std::ofstream out(path);
    for (const auto& [name, hash] : hashes) out << hex(hash) << ' ' << name << '\n';
  }
  std::ifstream in(path);
  std::size_t i = 0;
  for (std::string line; std::getline(in, line); ++i) {
    ASSERT_LT(i, hashes.size());
    EXPECT_EQ(line, hex(hashes[i].second) + ' ' + hashes[i].first);
  }
  EXPECT_EQ(i, hashes.size());
}

TEST(KeyHash, KeysWithOneCanonicalFormAreOneKey) {
  expect_one_key(std::int32_t{5}, std::int64_t{5});
  expect_one_key(std::int8_t{-3}, std::int64_t{-3});
  expect_one_key('a', 97);
  expect_one_key(true, 1);
  expect_one_key(0.0, -0.0);
  expect_one_key(0.5f, 0.5);
  expect_one_key(std::nan("1"), -std::nan("77"));
  expect_one_key(std::string("rain"), std::string_view("rain"));
  expect_one_key(std::pair(std::string("a"), 1), std::pair(std::string_view("a"), 1));
  expect_one_key(std::optional<std::string>("a"), std::optional<std::string_view>("a"));
  expect_one_key(Point{1, -0.0}, Point{1, 0.0});
  expect_one_key(CaseBlind{"Rain"}, CaseBlind{"rAIN"});
}

TEST(KeyHash, KeysThatDifferInOnePartAreTwoKeys) {
  expect_two_keys(std::pair(1, 2), std::pair(2, 1));
  expect_two_keys(std::pair(std::string("ab"), std::string("c")),
                  std::pair(std::string("a"), std::string("bc")));
  expect_two_keys(std::optional<int>(), std::optional<int>(0));
  expect_two_keys(std::vector<int>{}, std::vector<int>{0});
  expect_two_keys(std::vector<std::vector<int>>{{1}, {}}, std::vector<std::vector<int>>{{}, {1}});
  expect_two_keys(std::variant<int, long>(1), std::variant<int, long>(1L));
  expect_two_keys(std::string("a"), std::string("a\0", 2));
  expect_two_keys(CaseBlind{"rain"}, CaseBlind{"melt"});
}

TEST(KeyHash, IgnoresPadding) {
  alignas(Padded) unsigned char first[sizeof(Padded)];
  alignas(Padded) unsigned char second[sizeof(Padded)];
  std::memset(first, 0x00, sizeof first);
  std::memset(second, 0xff, sizeof second);
  auto* a = ::new (static_cast<void*>(first)) Padded{'t', 7, "melt"};
  auto* b = ::new (static_cast<void*>(second)) Padded{'t', 7, "melt"};
  expect_one_key(*a, *b);
  a->~Padded();
  b->~Padded();
}

// How far from one half a flipped input bit flips an output bit, at worst: 0 never or always.
template <class Hash>
double worst_bias(int keys, int bits, Hash hash) {
  std::mt19937_64 random(3);
  std::vector<int> flips(static_cast<std::size_t>(bits) * 64);
  for (int k = 0; k < keys; ++k) {
    // Half of the keys are small numbers, as most are.
    const std::uint64_t key = k % 2 == 0 ? random() : static_cast<std::uint64_t>(k);
    const std::uint64_t plain = hash(key);
    for (int in = 0; in < bits; ++in) {
      const std::uint64_t changed = plain ^ hash(key ^ (std::uint64_t{1} << in));
      for (int out = 0; out < 64; ++out)
        flips[static_cast<std::size_t>(in * 64 + out)] += static_cast<int>(changed >> out & 1);
    }
  }
  double worst = 0;
  for (int count : flips) worst = std::max(worst, std::fabs(2.0 * count / keys - 1));
  return worst;
}

template <std::size_t N>
std::uint64_t hash_in_string(std::uint64_t key, std::size_t at) {
  char bytes[N] = {};
  std::memcpy(bytes + at, &key, std::min(sizeof key, N - at));
  return key_hash(std::string_view(bytes, N));
}

TEST(KeyHash, EveryBitOfAKeyFlipsEveryBitOfTheHashHalfTheTime) {
  const int keys = testing::scaled(80'000, 10'000);
  const double bar = 6 / std::sqrt(keys);  // six standard deviations, over 4,096 pairs
  EXPECT_LT(worst_bias(keys, 64, [](std::uint64_t k) { return key_hash(k); }), bar);
  EXPECT_LT(worst_bias(keys, 24, [](std::uint64_t k) { return hash_in_string<3>(k, 0); }), bar);
  EXPECT_LT(worst_bias(keys, 56, [](std::uint64_t k) { return hash_in_string<7>(k, 0); }), bar);
  EXPECT_LT(worst_bias(keys, 64, [](std::uint64_t k) { return hash_in_string<8>(k, 0); }), bar);
  EXPECT_LT(worst_bias(keys, 64, [](std::uint64_t k) { return hash_in_string<13>(k, 2); }), bar);
  EXPECT_LT(worst_bias(keys, 64, [](std::uint64_t k) { return hash_in_string<40>(k, 17); }), bar);
  EXPECT_LT(worst_bias(keys, 64, [](std::uint64_t k) { return key_hash(std::pair(k, 7)); }), bar);
}

// Chi-square over the top bits, divided by its degrees of freedom: about 1 for a good hash.
template <class Key>
double unevenness(int keys, Key key) {
  constexpr std::size_t kCells = 4096;
  std::vector<int> cells(kCells);
  for (int i = 0; i < keys; ++i) ++cells[key(static_cast<std::uint64_t>(i)) >> 52];
  const double expected = static_cast<double>(keys) / kCells;
  double sum = 0;
  for (int count : cells) sum += (count - expected) * (count - expected) / expected;
  return sum / (kCells - 1);
}

TEST(KeyHash, RegularKeysSpreadEvenlyOverTheTopBits) {
  const int keys = 1 << 17;
  for (int shift = 0; shift <= 64 - 17; ++shift)
    EXPECT_NEAR(unevenness(keys, [&](std::uint64_t i) { return key_hash(i << shift); }), 1, 0.15);
  for (std::uint64_t step : {3u, 7u, 10u, 100u, 1000u, 60'000u, 3'600'000u, 16'777'619u})
    EXPECT_NEAR(unevenness(keys, [&](std::uint64_t i) { return key_hash(i * step); }), 1, 0.15);
  for (const char* prefix : {"", "k", "user-", "https://freshet.example/page/"}) {
    EXPECT_NEAR(
        unevenness(keys, [&](std::uint64_t i) { return key_hash(prefix + std::to_string(i)); }), 1,
        0.15);
  }
  EXPECT_NEAR(unevenness(keys, [](std::uint64_t i) { return key_hash(double(i)); }), 1, 0.15);
  EXPECT_NEAR(
      unevenness(keys, [](std::uint64_t i) { return key_hash(std::pair(i % 256, i / 256)); }), 1,
      0.15);
}

TEST(KeyHash, DistinctShortStringsDoNotCollide) {
  std::set<std::uint64_t> seen;
  std::size_t made = 0;
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b, ++made)
      seen.insert(key_hash(std::string{static_cast<char>(a), static_cast<char>(b)}));
  }
  for (std::size_t size = 3; size < 300; ++size, ++made)
    seen.insert(key_hash(std::string(size, '\0')));
  EXPECT_EQ(seen.size(), made);
}

TEST(KeyGroups, EveryHashBelongsToTheGroupWhoseRangeHoldsIt) {
  std::mt19937_64 random(5);
  for (std::uint32_t groups : {1u, 2u, 3u, 7u, 100u, 128u, 1000u, 32767u, 32768u}) {
    for (std::uint32_t group = 0; group < groups; ++group) {
      const std::uint64_t first = first_hash_of_group(group, groups);
      ASSERT_EQ(key_group(first, groups), group);
      if (group != 0) {
        ASSERT_EQ(key_group(first - 1, groups), group - 1);
      }
    }
    EXPECT_EQ(key_group(UINT64_MAX, groups), groups - 1);
    for (int i = 0; i < 1000; ++i) EXPECT_LT(key_group(random(), groups), groups);
  }
}

void expect_consistent(std::uint32_t max_parallelism, std::uint32_t parallelism) {
  std::uint32_t next = 0;
  std::uint32_t least = max_parallelism;
  std::uint32_t most = 0;
  for (std::uint32_t subtask = 0; subtask < parallelism; ++subtask) {
    const KeyGroupRange range = key_groups_of(subtask, parallelism, max_parallelism);
    ASSERT_EQ(range.first, next);
    ASSERT_GT(range.end, range.first);
    ASSERT_EQ(subtask_of_group(range.first, max_parallelism, parallelism), subtask);
    ASSERT_EQ(subtask_of_group(range.end - 1, max_parallelism, parallelism), subtask);
    least = std::min(least, range.size());
    most = std::max(most, range.size());
    next = range.end;
  }
  ASSERT_EQ(next, max_parallelism);
  ASSERT_LE(most - least, 1u);
}

TEST(KeyGroups, AreDividedEvenlyAndWithoutGapsAmongSubtasks) {
  for (std::uint32_t max = 1; max <= 300; ++max) {
    for (std::uint32_t parallelism = 1; parallelism <= max; ++parallelism)
      expect_consistent(max, parallelism);
  }
  std::mt19937_64 random(6);
  for (int i = 0; i < testing::scaled(2000, 50); ++i) {
    const auto max = static_cast<std::uint32_t>(1 + random() % kMaxParallelismLimit);
    expect_consistent(max, static_cast<std::uint32_t>(1 + random() % max));
  }
  for (std::uint32_t parallelism : {1u, 2u, 32767u, 32768u})
    expect_consistent(kMaxParallelismLimit, parallelism);
}

}  // namespace
}  // namespace freshet
