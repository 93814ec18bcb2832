#include "state/byte_state.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "freshet/error.h"
#include "freshet/key_hash.h"
#include "scale.h"

namespace freshet::core {
namespace {

using testing::scaled;

std::uint32_t owner_of(const std::string& key, std::uint32_t parallelism, std::uint32_t most) {
  return subtask_of_group(key_group(key_hash(std::string_view(key)), most), most, parallelism);
}

// Beside a map, with keys of any bytes.
TEST(ByteState, HoldsWhatAMapWould) {
  for (int seed = 0; seed < scaled(20, 4); ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    ByteState state("state 's' of operator 'o'", 0, 1, 128);
    std::map<std::string, std::string> map;
    for (int step = 0; step < 3'000; ++step) {
      std::string key(random() % 4, '\0');
      for (char& c : key) c = static_cast<char>(random() % 5);
      switch (random() % 3) {
        case 0:
          state.at(key) += "x";
          map[key] += "x";
          break;
        case 1:
          ASSERT_EQ(state.erase(key), map.erase(key) == 1);
          break;
        default: {
          const std::string* found = state.find(key);
          const auto expected = map.find(key);
          ASSERT_EQ(found != nullptr, expected != map.end());
          if (found != nullptr) {
            ASSERT_EQ(*found, expected->second);
          }
        }
      }
      ASSERT_EQ(state.size(), map.size());
    }
    std::map<std::string, std::string> visited;
    state.for_each([&](std::string_view key, std::string& value) {
      EXPECT_TRUE(visited.emplace(key, value).second) << "visited twice";
    });
    EXPECT_EQ(visited, map);
  }
}

TEST(ByteState, EveryKeyHasOneSubtaskAndTheOthersRefuseIt) {
  constexpr std::uint32_t kParallelism = 3, kMost = 16;
  std::vector<std::unique_ptr<ByteState>> states;
  for (std::uint32_t subtask = 0; subtask < kParallelism; ++subtask) {
    states.push_back(
        std::make_unique<ByteState>("state 's' of operator 'o'", subtask, kParallelism, kMost));
  }
  for (int i = 0; i < 200; ++i) {
    const std::string key = "key " + std::to_string(i);
    const std::uint32_t owner = owner_of(key, kParallelism, kMost);
    for (std::uint32_t subtask = 0; subtask < kParallelism; ++subtask) {
      ByteState& state = *states[subtask];
      if (subtask == owner) {
        EXPECT_NO_THROW(state.at(key) = "1");
        continue;
      }
      EXPECT_THROW(static_cast<void>(state.at(key)), InvalidInput);
      EXPECT_THROW(static_cast<void>(state.find(key)), InvalidInput);
      EXPECT_THROW(static_cast<void>(state.erase(key)), InvalidInput);
    }
  }
  EXPECT_EQ(states[0]->size() + states[1]->size() + states[2]->size(), 200u);
}

TEST(ByteState, TellsWhoOwnsAKeyThatIsNotItsOwn) {
  std::string key = "a";
  while (owner_of(key, 2, 128) != 1) key += "a";
  ByteState state("state 's' of operator 'o'", 0, 2, 128);
  try {
    static_cast<void>(state.at(key));
    FAIL() << "it was taken";
  } catch (const InvalidInput& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.rfind("state 's' of operator 'o': a key of " + std::to_string(key.size()), 0),
              0u)
        << text;
    EXPECT_NE(text.find("which subtask 1 owns, not subtask 0 (groups 0 to 63)"), std::string::npos)
        << text;
    EXPECT_NE(text.find("let the rows come over a hash edge"), std::string::npos) << text;
  }
}

TEST(ByteState, IsVisitedByKeyGroup) {
  ByteState state("s", 0, 1, 128);
  for (int i = 0; i < 500; ++i) state.at(std::to_string(i));
  std::uint32_t last = 0;
  state.for_each([&](std::string_view key, std::string& value) {
    const std::uint32_t group = key_group(key_hash(key), 128);
    EXPECT_GE(group, last);
    last = group;
    value = "seen";
  });
  EXPECT_EQ(*state.find("7"), "seen") << "values may be changed";
}

}  // namespace
}  // namespace freshet::core
