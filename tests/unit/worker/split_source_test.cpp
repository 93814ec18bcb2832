#include "worker/split_source.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <vector>

#include "freshet/error.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

// Numbers its splits; each call suspends its fiber, as one that awaits something slow.
class SlowCoordinator final : public Coordinator {
 public:
  explicit SlowCoordinator(int splits) : left_(splits) {}
  void open(std::uint32_t parallelism) override {
    ++opened;
    parallelism_seen = parallelism;
  }
  std::optional<std::string> next_split(std::uint32_t subtask) override {
    EXPECT_EQ(++inside, 1) << "one call at a time";
    asked.push_back(subtask);
    for (int i = 0; i < 3; ++i) yield_fiber();
    --inside;
    if (left_ < 0) throw std::runtime_error("the folder is gone");
    if (left_ == 0) return std::nullopt;
    return std::to_string(left_--);
  }

  int opened = 0;
  int inside = 0;
  std::uint32_t parallelism_seen = 0;
  std::vector<std::uint32_t> asked;

 private:
  int left_;
};

TEST(SplitSource, GivesEachSplitOnceInTheOrderOfTheCalls) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    TestFibers fibers(seed);
    auto owned = std::make_unique<SlowCoordinator>(40);
    SlowCoordinator& coordinator = *owned;
    SplitSource splits(std::move(owned), 4);
    std::multiset<std::string> given;
    for (std::uint32_t subtask = 0; subtask < 4; ++subtask) {
      fibers.start("subtask " + std::to_string(subtask), [&, subtask] {
        while (auto split = splits.next(subtask)) given.insert(*split);
      });
    }
    fibers.run_until_all_have_ended();
    EXPECT_EQ(given.size(), 40u);
    EXPECT_EQ(std::set<std::string>(given.begin(), given.end()).size(), 40u);
    EXPECT_EQ(coordinator.opened, 1);
    EXPECT_EQ(coordinator.parallelism_seen, 4u);
    EXPECT_EQ(coordinator.asked.size(), 44u);
    splits.close();
  }
}

TEST(SplitSource, ACanceledSubtaskLosesItsTurnAndNobodyElses) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    TestFibers fibers(seed);
    SplitSource splits(std::make_unique<SlowCoordinator>(30), 3);
    int given = 0;
    fibers.start("canceled", [&] {
      while (splits.next(0)) ++given;
    });
    fibers.start("other", [&] {
      fibers.cancel("canceled");
      while (splits.next(1)) ++given;
    });
    fibers.start("third", [&] {
      while (splits.next(2)) ++given;
    });
    fibers.run_until_all_have_ended();
    EXPECT_GE(given, 29) << "seed " << seed;
    EXPECT_LE(given, 30) << "seed " << seed;
  }
}

TEST(SplitSource, WhatTheEnumeratorThrowsReachesTheSubtaskThatAsked) {
  TestFibers fibers(3);
  SplitSource splits(std::make_unique<SlowCoordinator>(-1), 1);
  std::string said;
  fibers.start("subtask", [&] {
    for (int i = 0; i < 2; ++i) {
      try {
        splits.next(0);
      } catch (const std::runtime_error& error) {
        said += error.what();
      }
    }
  });
  fibers.run_until_all_have_ended();
  EXPECT_EQ(said, "the folder is gonethe folder is gone");
}

TEST(SplitSource, WithoutACoordinatorThereAreNoSplits) {
  SplitSource splits(nullptr, 2);
  EXPECT_EQ(splits.next(0), std::nullopt);
}

}  // namespace
}  // namespace freshet::core
