#include "freshet/detail/state/keyed_table.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "scale.h"

namespace freshet {
namespace {

// A key whose hash is whatever the test wants.
struct Steered {
  std::uint64_t id = 0;
  std::uint64_t hash = 0;
  bool operator==(const Steered& other) const { return id == other.id; }
  bool operator<(const Steered& other) const { return id < other.id; }
};

}  // namespace

template <>
struct KeyHash<Steered> {
  static std::uint64_t hash(const Steered& key) { return key.hash; }
};

namespace {

struct Ranges {
  KeyGroupRange groups;
  std::uint32_t max_parallelism;
};

const std::vector<Ranges> kRanges = {{{0, 1}, 1},
                                     {{0, 128}, 128},
                                     {{0, 1}, 128},
                                     {{127, 128}, 128},
                                     {{37, 43}, 100},
                                     {{5, 6}, 7},
                                     {{32767, 32768}, 32768},
                                     {{16000, 16016}, 32768},
                                     {{0, 32768}, 32768},
                                     {{16383, 16384}, 32768}};

template <class K>
bool owned(const Ranges& ranges, const K& key) {
  return ranges.groups.contains(key_group(key_hash(key), ranges.max_parallelism));
}

// Everything a table shows agrees with the model, and in key-group order.
template <class K, class V, class Model>
void expect_same(KeyedTable<K, V>& table, const Model& model) {
  ASSERT_EQ(table.size(), model.size());
  std::size_t seen = 0;
  std::uint32_t last_group = 0;
  table.for_each([&](const auto& key, std::uint64_t hash, V& value) {
    const std::uint32_t group = key_group(hash, table.max_parallelism());
    EXPECT_LE(last_group, group);
    last_group = group;
    EXPECT_EQ(hash, std::max<std::uint64_t>(key_hash(K(key)), 1));
    auto found = model.find(K(key));
    ASSERT_NE(found, model.end());
    EXPECT_EQ(value, found->second);
    ++seen;
  });
  EXPECT_EQ(seen, model.size());
}

// Random inserts, updates, lookups, erases, reserves and clears, beside a map as model.
template <class K, class V, class MakeKey, class MakeValue>
void walk_beside_a_map(const Ranges& ranges, int operations, std::uint64_t seed, MakeKey make_key,
                       MakeValue make_value) {
  SCOPED_TRACE("groups " + std::to_string(ranges.groups.first) + " to " +
               std::to_string(ranges.groups.end) + " of " + std::to_string(ranges.max_parallelism) +
               ", seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  KeyedTable<K, V> table(ranges.groups, ranges.max_parallelism);
  std::map<K, V> model;
  for (int i = 0; i < operations; ++i) {
    const K key = make_key(random);
    if (!owned(ranges, key)) continue;
    const std::uint64_t hash = key_hash(key);
    const auto what = random() % 100;
    table.prefetch(hash);
    if (what < 60) {
      bool inserted = false;
      V& value = table.find_or_insert(key, hash, inserted);
      ASSERT_EQ(inserted, model.count(key) == 0);
      ASSERT_EQ(value, model[key]);
      value = model[key] = make_value(random);
    } else if (what < 80) {
      V* value = table.find(key, hash);
      ASSERT_EQ(value != nullptr, model.count(key) == 1);
      if (value != nullptr) {
        ASSERT_EQ(*value, model[key]);
      }
    } else {
      ASSERT_EQ(table.erase(key, hash), model.erase(key) == 1);
    }
    if (random() % 5000 == 0) table.reserve(table.size() * 3);
    if (random() % 20000 == 0) {
      table.clear();
      model.clear();
    }
  }
  expect_same(table, model);
  KeyedTable<K, V> moved(std::move(table));
  expect_same(moved, model);
}

// With few groups owned, most random keys are not: draw until one is.
template <class Draw>
auto owned_by(const Ranges& ranges, Draw draw) {
  return [ranges, draw](std::mt19937_64& random) {
    auto key = draw(random);
    for (int tries = 0; tries < 100 && !owned(ranges, key); ++tries) key = draw(random);
    return key;
  };
}

TEST(KeyedTable, AgreesWithAMapForIntegersInEveryRange) {
  for (const Ranges& ranges : kRanges) {
    walk_beside_a_map<std::int64_t, std::int64_t>(
        ranges, testing::scaled(120'000, 2000), 11,
        owned_by(ranges, [](auto& random) { return static_cast<std::int64_t>(random() % 20'000); }),
        [](auto& random) { return static_cast<std::int64_t>(random()); });
  }
}

TEST(KeyedTable, AgreesWithAMapForStringsOfEveryLength) {
  for (const Ranges& ranges : kRanges) {
    walk_beside_a_map<std::string, std::string>(
        ranges, testing::scaled(80'000, 2000), 12,
        owned_by(ranges,
                 [](auto& random) {
                   std::string key(random() % 24, 'a');
                   for (char& c : key) c = static_cast<char>(random() % 3);
                   if (random() % 1000 == 0) key.resize(5000, 'x');
                   return key;
                 }),
        [](auto& random) { return std::string(random() % 40, 'v'); });
  }
}

TEST(KeyedTable, AgreesWithAMapForCompositeKeysAndValuesThatOwnMemory) {
  using Key = std::pair<std::string, std::int32_t>;
  for (const Ranges& ranges : {kRanges[1], kRanges[4]}) {
    walk_beside_a_map<Key, std::vector<std::string>>(
        ranges, testing::scaled(80'000, 2000), 13,
        owned_by(ranges,
                 [](auto& random) {
                   return Key(std::string(random() % 30, 'k'),
                              static_cast<std::int32_t>(random() % 100));
                 }),
        [](auto& random) { return std::vector<std::string>(random() % 3, std::string(20, 'x')); });
  }
}

TEST(KeyedTable, StaysCorrectWhenHashesCrowdAtAnyPlace) {
  const std::uint64_t top = UINT64_MAX;
  const std::vector<std::vector<std::uint64_t>> crowds = {{0},
                                                          {1},
                                                          {top},
                                                          {top, 0},
                                                          {top - 1, top, 0, 1, 2},
                                                          {top >> 1},
                                                          {0, 1, 2, 3},
                                                          {top >> 1, (top >> 1) + 1}};
  for (const auto& crowd : crowds) {
    for (std::uint32_t groups : {1u, 2u, 128u, 32768u}) {
      walk_beside_a_map<Steered, std::uint64_t>(
          {{0, groups}, groups}, testing::scaled(12'000, 1000), groups,
          [&](auto& random) {
            Steered key;
            key.id = random() % 300;
            key.hash = crowd[key.id % crowd.size()];
            return key;
          },
          [](auto& random) { return random(); });
    }
  }
}

TEST(KeyedTable, StaysCorrectAtBothEndsOfTheHashesItOwns) {
  for (const Ranges& ranges : kRanges) {
    const std::uint64_t least = first_hash_of_group(ranges.groups.first, ranges.max_parallelism);
    const std::uint64_t most =
        ranges.groups.end == ranges.max_parallelism
            ? UINT64_MAX
            : first_hash_of_group(ranges.groups.end, ranges.max_parallelism) - 1;
    walk_beside_a_map<Steered, std::uint64_t>(
        ranges, testing::scaled(20'000, 1000), 14,
        [&](auto& random) {
          Steered key;
          key.id = random() % 200;
          key.hash = key.id % 3 == 0 ? least : key.id % 3 == 1 ? most : least + key.id;
          return key;
        },
        [](auto& random) { return random(); });
  }
}

TEST(KeyedTable, FindsStringsByViewAndKeepsItsOwnBytes) {
  KeyedTable<std::string, int> table;
  std::string line = "rain melt rain";
  const std::string_view rain = std::string_view(line).substr(0, 4);
  ++table.find_or_insert(rain, key_hash(rain));
  ++table.find_or_insert(std::string("rain"), key_hash("rain" + std::string()));
  line.assign(line.size(), '#');
  ASSERT_NE(table.find(std::string_view("rain"), key_hash(std::string_view("rain"))), nullptr);
  EXPECT_EQ(*table.find(std::string_view("rain"), key_hash(std::string_view("rain"))), 2);
}

TEST(KeyedTable, FindsPairsByAPairOfViews) {
  KeyedTable<std::pair<std::string, int>, int> table;
  const std::pair<std::string_view, int> view("rain", 7);
  table.find_or_insert(view, key_hash(view)) = 3;
  const std::pair<std::string, int> key("rain", 7);
  ASSERT_NE(table.find(key, key_hash(key)), nullptr);
  EXPECT_EQ(*table.find(key, key_hash(key)), 3);
}

TEST(KeyedTable, EndsTheLifeOfEveryValueOnce) {
  auto alive = std::make_shared<int>(0);
  struct Counted {
    std::shared_ptr<int> alive;
  };
  {
    KeyedTable<int, Counted> table;
    for (int i = 0; i < 1000; ++i) table.find_or_insert(i, key_hash(i)).alive = alive;
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(table.erase(i, key_hash(i)));
    EXPECT_EQ(alive.use_count(), 501);
    table.clear();
    EXPECT_EQ(alive.use_count(), 1);
    for (int i = 0; i < 100; ++i) table.find_or_insert(i, key_hash(i)).alive = alive;
  }
  EXPECT_EQ(alive.use_count(), 1);
}

TEST(KeyedTable, IsUnchangedWhenAValueCannotBeMade) {
  static bool refuse = false;
  struct Fussy {
    Fussy() {
      if (refuse) throw std::runtime_error("no");
    }
    std::string text = "made";
  };
  KeyedTable<std::vector<int>, Fussy> table;
  const std::vector<int> key(100, 1);
  refuse = true;
  EXPECT_THROW(table.find_or_insert(key, key_hash(key)), std::runtime_error);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(table.find(key, key_hash(key)), nullptr);
  refuse = false;
  EXPECT_EQ(table.find_or_insert(key, key_hash(key)).text, "made");
}

TEST(KeyedTable, ShowsEachGroupApartAndTheGroupsTogetherAreAll) {
  KeyedTable<std::int32_t, int> table({10, 30}, 64);
  std::set<std::int32_t> wanted;
  for (std::int32_t i = 0; i < 5000; ++i) {
    if (!owned({{10, 30}, 64}, i)) continue;
    table.find_or_insert(i, key_hash(i)) = i;
    wanted.insert(i);
  }
  std::set<std::int32_t> seen;
  for (std::uint32_t group = 10; group < 30; ++group) {
    table.for_each_in_group(group, [&](std::int32_t key, std::uint64_t hash, int& value) {
      EXPECT_EQ(key_group(hash, 64), group);
      EXPECT_EQ(key, value);
      EXPECT_TRUE(seen.insert(key).second);
    });
  }
  EXPECT_EQ(seen, wanted);
}

TEST(KeyedTable, GivesTheBytesOfErasedStringsBack) {
  KeyedTable<std::string, int> table;
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::string(100, 'k') + std::to_string(i);
    table.find_or_insert(key, key_hash(key)) = i;
    if (i >= 10) {
      const std::string old = std::string(100, 'k') + std::to_string(i - 10);
      ASSERT_TRUE(table.erase(old, key_hash(old)));
    }
  }
  EXPECT_EQ(table.size(), 10u);
  EXPECT_LT(table.memory_bytes(), 1'000'000u);
  table.for_each([](std::string_view key, std::uint64_t, int& value) {
    EXPECT_EQ(key, std::string(100, 'k') + std::to_string(value));
  });
}

TEST(KeyedTable, ReserveMakesRoomSoThatNothingMoves) {
  KeyedTable<std::int64_t, std::int64_t> table;
  table.reserve(200'000);  // above 2 MiB: a mapping of its own
  const std::size_t capacity = table.capacity();
  std::int64_t* first = &table.find_or_insert(std::int64_t{0}, key_hash(0));
  for (std::int64_t i = 1; i < 200'000; ++i) table.find_or_insert(i, key_hash(i)) = i;
  EXPECT_EQ(table.capacity(), capacity);
  EXPECT_EQ(table.find(std::int64_t{0}, key_hash(0)), first);
}

}  // namespace
}  // namespace freshet
