#include "task/mailbox.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "clock/clock.h"
#include "scale.h"
#include "task/scheduler.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

TEST(Mailbox, GivesMailsInTheOrderTheyCame) {
  Waiter waiter;
  Mailbox box(waiter);
  std::vector<int> read;
  EXPECT_TRUE(box.empty());
  EXPECT_FALSE(box.take());
  int sent = 0;
  for (int burst = 1; burst < 6; ++burst) {
    for (int i = 0; i < burst; ++i) box.put([&read, n = sent++] { read.push_back(n); });
    if (auto mail = box.take()) mail();  // so that old and new ones meet
  }
  while (auto mail = box.take()) mail();
  EXPECT_TRUE(box.empty());
  ASSERT_EQ(read.size(), 15u);
  for (int i = 0; i < 15; ++i) EXPECT_EQ(read[static_cast<std::size_t>(i)], i);
}

TEST(Mailbox, TakesMailsThatOnlyMoveAndLargeOnes) {
  Waiter waiter;
  Mailbox box(waiter);
  std::array<long, 100> large{};
  large[99] = 7;
  long sum = 0;
  box.put([&sum, value = std::make_unique<long>(35)] { sum += *value; });
  box.put([&sum, large] { sum += large[99]; });
  while (auto mail = box.take()) mail();
  EXPECT_EQ(sum, 42);
}

TEST(Mailbox, WakesItsOwner) {
  TestFibers fibers(11);
  Mailbox& box = fibers.mailbox("owner");
  int handled = 0;
  fibers.start("owner", [&] {
    while (handled < 2) {
      box.waiter().wait([&] { return !box.empty(); });
      box.take()();
    }
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("owner"));
  box.put([&] { ++handled; });
  fibers.run_until_idle();
  EXPECT_EQ(handled, 1);
  box.put([&] { ++handled; });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("owner"));
}

TEST(Mailbox, DropsWhatIsInItAndWhatComesOnceClosed) {
  Waiter waiter;
  Mailbox box(waiter);
  auto alive = std::make_shared<int>(0);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(box.put([alive] { FAIL(); }));
  auto first = box.take();
  box.close();
  EXPECT_EQ(alive.use_count(), 2);  // ours, and the one that was taken
  EXPECT_FALSE(box.put([alive] { FAIL(); }));
  EXPECT_EQ(alive.use_count(), 2);
  EXPECT_FALSE(box.take());
  EXPECT_TRUE(box.empty());
  box.close();
}

TEST(Mailbox, KeepsEachSendersOrderAndLosesNothing) {
  constexpr int kSenders = 4;
  const int each = testing::scaled(50'000, 500);
  Waiter waiter;
  Mailbox box(waiter);
  std::vector<int> next(kSenders, 0);
  SchedulerPool pool(SystemClock::instance(), 2);
  auto owner = pool.spawn(0, "owner", [&] {
    for (int handled = 0; handled < kSenders * each; ++handled) {
      waiter.wait([&] { return !box.empty(); });
      box.take()();
    }
  });
  auto send = [&](int sender) {
    for (int i = 0; i < each; ++i) {
      box.put([&next, sender, i] { EXPECT_EQ(next[static_cast<std::size_t>(sender)]++, i); });
    }
  };
  auto fiber_sender = pool.spawn(1, "sender", [&] { send(0); });
  auto neighbour = pool.spawn(0, "neighbour", [&] { send(1); });
  std::thread one([&] { send(2); }), two([&] { send(3); });
  one.join();
  two.join();
  owner.finished().get();
  EXPECT_EQ(next, std::vector<int>(kSenders, each));
}

}  // namespace
}  // namespace freshet::core
