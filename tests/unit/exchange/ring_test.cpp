#include "exchange/ring.h"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <random>
#include <thread>

#include "scale.h"

namespace freshet::core {
namespace {

TEST(Ring, BehavesLikeABoundedDeque) {
  std::mt19937 random(42);
  for (std::uint32_t capacity : {1u, 2u, 3u, 7u, 8u, 9u, 100u}) {
    Ring<int> ring(capacity);
    std::deque<int> model;
    for (int i = 0; i < 20'000; ++i) {
      EXPECT_EQ(ring.empty(), model.empty());
      EXPECT_EQ(ring.full(), model.size() == capacity);
      EXPECT_EQ(ring.size(), model.size());
      if (random() % 2) {
        ASSERT_EQ(ring.push(i), model.size() < capacity);
        if (model.size() < capacity) model.push_back(i);
      } else {
        int value = -1;
        ASSERT_EQ(ring.pop(value), !model.empty());
        if (!model.empty()) {
          ASSERT_EQ(value, model.front());
          model.pop_front();
        }
      }
    }
  }
}

TEST(Ring, LeavesAValueThatDoesNotFitWithItsOwner) {
  Ring<std::unique_ptr<int>> ring(1);
  ASSERT_TRUE(ring.push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(ring.push(std::move(second)));
  ASSERT_TRUE(second);  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(*second, 2);
}

TEST(Ring, KeepsOrderBetweenTwoThreads) {
  const int count = testing::scaled(2'000'000, 10'000);
  Ring<int> ring(8);
  std::thread writer([&] {
    for (int i = 0; i < count;) {
      if (ring.push(i)) {
        ++i;
      } else {
        std::this_thread::yield();
      }
    }
  });
  for (int expected = 0; expected < count;) {
    int value = -1;
    if (ring.pop(value)) {
      ASSERT_EQ(value, expected++);
    } else {
      std::this_thread::yield();
    }
  }
  writer.join();
}

}  // namespace
}  // namespace freshet::core
