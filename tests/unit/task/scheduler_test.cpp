#include "task/scheduler.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "clock/clock.h"
#include "scale.h"
#include "task/waiter.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

TEST(SchedulerPool, RunsEachFiberOnItsOwnThreadOnly) {
  SchedulerPool pool(SystemClock::instance(), 3);
  EXPECT_EQ(pool.size(), 3u);
  std::vector<std::set<std::thread::id>> seen(3);
  std::vector<FiberHandle> fibers;
  for (std::size_t thread = 0; thread < 3; ++thread) {
    for (int i = 0; i < 5; ++i) {
      fibers.push_back(pool.spawn(thread, "f" + std::to_string(i), [&seen, thread] {
        for (int j = 0; j < 10; ++j) {
          seen[thread].insert(std::this_thread::get_id());
          yield_fiber();
        }
      }));
    }
  }
  for (auto& fiber : fibers) fiber.finished().get();
  std::set<std::thread::id> all;
  for (const auto& ids : seen) {
    EXPECT_EQ(ids.size(), 1u);
    all.insert(ids.begin(), ids.end());
  }
  EXPECT_EQ(all.size(), 3u);
  EXPECT_FALSE(all.count(std::this_thread::get_id()));
}

TEST(SchedulerPool, TellsAFiberItsName) {
  SchedulerPool pool(SystemClock::instance(), 1);
  EXPECT_STREQ(fiber_name(), "");
  std::string name;
  auto fiber = pool.spawn(0, "count (3/8)", [&] { name = fiber_name(); });
  fiber.finished().get();
  EXPECT_EQ(name, "count (3/8)");
  EXPECT_EQ(fiber.name(), "count (3/8)");
}

TEST(SchedulerPool, DeliversWhatAFiberThrows) {
  SchedulerPool pool(SystemClock::instance(), 1);
  auto fiber = pool.spawn(0, "throws", [] { throw std::runtime_error("no such word"); });
  try {
    fiber.finished().get();
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "no such word");
  }
}

TEST(SchedulerPool, DestroysTheFunctionBeforeItSaysFinished) {
  SchedulerPool pool(SystemClock::instance(), 1);
  auto held = std::make_shared<int>(1);
  auto fiber = pool.spawn(0, "holds", [held] {});
  fiber.finished().get();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(SchedulerPool, WaitsForFibersThatFibersStart) {
  std::atomic<int> ran{0};
  {
    SchedulerPool pool(SystemClock::instance(), 2);
    std::function<void(int)> grow = [&](int depth) {
      ran.fetch_add(1);
      for (std::size_t thread = 0; depth > 0 && thread < 2; ++thread) {
        pool.spawn(thread, "child", [&grow, depth] { grow(depth - 1); });
      }
    };
    pool.spawn(0, "root", [&] { grow(6); });
    while (ran == 0) std::this_thread::yield();
    // grow outlives the pool's fibers: the pool waits for them here.
    struct WaitFirst {
      SchedulerPool& pool;
      ~WaitFirst() {
        while (pool.live_fibers() > 0) std::this_thread::yield();
      }
    } wait_first{pool};
  }
  EXPECT_EQ(ran.load(), 127);
}

TEST(SchedulerPool, CancelsAWaitingFiberFromAnotherThread) {
  SchedulerPool pool(SystemClock::instance(), 1);
  Waiter waiter;
  auto fiber = pool.spawn(0, "waits", [&] { waiter.wait([] { return false; }); });
  while (!waiter.waited_on()) std::this_thread::yield();
  fiber.cancel();
  EXPECT_THROW(fiber.finished().get(), Canceled);
  fiber.cancel();  // of one that has ended: nothing
}

TEST(SchedulerPool, CancelsAFiberBeforeItRuns) {
  SchedulerPool pool(SystemClock::instance(), 1);
  Waiter waiter;
  auto fiber = pool.spawn(0, "waits", [&] { waiter.wait([] { return false; }); });
  fiber.cancel();
  EXPECT_THROW(fiber.finished().get(), Canceled);
}

TEST(SchedulerPool, MayBeMadeAndDestroyedWhileItsFibersWakeEachOther) {
  const int rounds = testing::scaled(400, 20);
  for (int round = 0; round < rounds; ++round) {
    Waiter a, b;
    std::atomic<int> token{0};
    SchedulerPool pool(SystemClock::instance(), 2);
    for (int side = 0; side < 2; ++side) {
      pool.spawn(static_cast<std::size_t>(side), "side", [&, side] {
        Waiter& mine = side ? b : a;
        Waiter& other = side ? a : b;
        for (int i = 0; i < 3; ++i) {
          mine.wait([&] { return token.load() == 2 * i + side; });
          token.store(2 * i + side + 1);
          other.wake();
        }
      });
    }
  }
}

TEST(SchedulerPool, HoldsTenThousandLiveFibers) {
  const int count = testing::scaled(40'000, 200) < 10'000 ? testing::scaled(40'000, 200) : 10'000;
  SchedulerPool pool(SystemClock::instance(), 2);
  std::vector<std::unique_ptr<Waiter>> waiters;
  waiters.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) waiters.push_back(std::make_unique<Waiter>());
  std::atomic<int> arrived{0}, passed{0};
  std::atomic<bool> go{false};
  for (int i = 0; i < count; ++i) {
    pool.spawn(static_cast<std::size_t>(i % 2), "many-" + std::to_string(i), [&, i] {
      arrived.fetch_add(1);
      waiters[static_cast<std::size_t>(i)]->wait([&] { return go.load(); });
      passed.fetch_add(1);
    });
  }
  while (arrived < count) std::this_thread::yield();
  EXPECT_EQ(pool.live_fibers(), static_cast<std::size_t>(count));
  go = true;
  for (auto& waiter : waiters) waiter->wake();
  while (pool.live_fibers() > 0) std::this_thread::yield();
  EXPECT_EQ(passed.load(), count);
}

TEST(SchedulerPool, RefusesAStackThatCannotBeMappedByTheFibersFuture) {
  SchedulerPool pool(SystemClock::instance(), 1);
  auto fiber = pool.spawn(
      0, "huge", [] { FAIL(); }, StackSize{std::size_t{1} << 62});
  try {
    fiber.finished().get();
    FAIL();
  } catch (const StackUnavailable& error) {
    EXPECT_NE(std::string(error.what()).find("task.stack-size"), std::string::npos);
  }
}

double cpu_ms() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  auto ms = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

TEST(SchedulerPool, UsesNoProcessorWhileAllFibersWait) {
  Waiter waiters[4];
  std::atomic<bool> go{false};
  SchedulerPool pool(SystemClock::instance(), 2);  // ends first: its fibers look at both
  for (std::size_t i = 0; i < 4; ++i) {
    pool.spawn(i % 2, "waits", [&, i] {
      waiters[i].wait_until(SystemClock::instance().now_ns() + std::int64_t{3600} * 1'000'000'000,
                            [&] { return go.load(); });
    });
  }
  for (auto& waiter : waiters) {
    while (!waiter.waited_on()) std::this_thread::yield();
  }
  Promise<void> never;
  static_cast<void>(never.future().wait_for(20));  // let the threads park
  const double before = cpu_ms();
  static_cast<void>(never.future().wait_for(500));
  EXPECT_LT(cpu_ms() - before, 5);
  go = true;
  for (auto& waiter : waiters) waiter.wake();
}

TEST(TestFibers, DrawsTheSameOrderFromTheSameSeed) {
  auto run = [](std::uint64_t seed) {
    TestFibers fibers(seed);
    std::string order;
    for (char name = 'a'; name < 'h'; ++name) {
      fibers.start(std::string(1, name), [&order, name] {
        for (int i = 0; i < 3; ++i) {
          order += name;
          yield_fiber();
        }
      });
    }
    fibers.run_until_idle();
    return order;
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_EQ(run(7).size(), 21u);
  std::set<std::string> orders;
  for (std::uint64_t seed = 0; seed < 20; ++seed) orders.insert(run(seed));
  EXPECT_GT(orders.size(), 15u);
}

TEST(TestFibers, HandsOnWhatAFiberThrows) {
  TestFibers fibers(1);
  fibers.start("throws", [] { throw std::runtime_error("in the fiber"); });
  EXPECT_THROW(fibers.run_until_idle(), std::runtime_error);
}

}  // namespace
}  // namespace freshet::core
