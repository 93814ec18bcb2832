#include "task/waiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "clock/clock.h"
#include "scale.h"
#include "task/scheduler.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

TEST(Waiter, ReturnsAtOnceIfReady) {
  TestFibers fibers(1);
  fibers.start("only", [&] { fibers.waiter("w").wait([] { return true; }); });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("only"));
}

TEST(Waiter, WaitsUntilTheConditionHoldsAndSomebodyWakes) {
  TestFibers fibers(2);
  bool ready = false;
  Waiter& waiter = fibers.waiter("w");
  fibers.start("waits", [&] { waiter.wait([&] { return ready; }); });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("waits"));
  EXPECT_TRUE(waiter.waited_on());

  waiter.wake();  // for nothing: it looks and goes back to sleep
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("waits"));

  ready = true;
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("waits"));  // nobody told it
  waiter.wake();
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("waits"));
  EXPECT_FALSE(waiter.waited_on());
}

TEST(Waiter, GivesUpAtTheDeadline) {
  TestFibers fibers(3);
  bool in_time = true;
  const std::int64_t deadline = fibers.clock().now_ns() + 1000;
  fibers.start("waits",
               [&] { in_time = fibers.waiter("w").wait_until(deadline, [] { return false; }); });
  fibers.run_until_idle();
  fibers.advance_ns(999);
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("waits"));
  fibers.advance_ns(1);
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("waits"));
  EXPECT_FALSE(in_time);
  EXPECT_FALSE(fibers.waiter("w").waited_on());
}

TEST(Waiter, WokenBeforeTheDeadlineForgetsTheDeadline) {
  TestFibers fibers(4);
  bool ready = false, in_time = false;
  Waiter& waiter = fibers.waiter("w");
  fibers.start("waits", [&] {
    in_time = waiter.wait_until(fibers.clock().now_ns() + 1000, [&] { return ready; });
    ready = false;
    waiter.wait([&] { return ready; });
  });
  fibers.run_until_idle();
  ready = true;
  waiter.wake();
  fibers.run_until_idle();
  EXPECT_TRUE(in_time);
  fibers.advance_ns(5000);
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("waits"));
  ready = true;
  waiter.wake();
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("waits"));
}

TEST(Waiter, DeadlinesFireInTheirOrder) {
  TestFibers fibers(5);
  std::mt19937 random(5);
  std::vector<std::int64_t> fired, expected;
  const std::int64_t start = fibers.clock().now_ns();
  for (int i = 0; i < 100; ++i) {
    const auto after = static_cast<std::int64_t>(random() % 50);
    expected.push_back(after);
    fibers.start("f" + std::to_string(i), [&fired, start, after] {
      Waiter own;
      own.wait_until(start + after, [] { return false; });
      fired.push_back(after);
    });
  }
  std::sort(expected.begin(), expected.end());
  for (int i = 0; i < 50; ++i, fibers.advance_ns(1)) fibers.run_until_idle();
  EXPECT_EQ(fired, expected);
}

TEST(Waiter, ThrowsCanceledWhenItsFiberIsCanceledAndFromThenOn) {
  TestFibers fibers(6);
  int canceled_waits = 0;
  fibers.start("waits", [&] {
    for (int i = 0; i < 2; ++i) {
      try {
        fibers.waiter("w").wait([] { return false; });
      } catch (const Canceled& canceled) {
        EXPECT_STREQ(canceled.what(), "'waits' has been canceled");
        ++canceled_waits;
      }
    }
    fibers.waiter("w").wait([] { return true; });  // no wait, no throw
    EXPECT_TRUE(freshet::canceled());
  });
  fibers.run_until_idle();
  fibers.cancel("waits");
  fibers.cancel("waits");
  fibers.run_until_idle();
  EXPECT_EQ(canceled_waits, 2);
  EXPECT_TRUE(fibers.ended("waits"));
}

TEST(Waiter, WaitsDespiteCancelIfToldTo) {
  TestFibers fibers(7);
  bool ready = false;
  fibers.start("waits", [&] { fibers.waiter("w").wait_despite_cancel([&] { return ready; }); });
  fibers.run_until_idle();
  fibers.cancel("waits");
  fibers.run_until_idle();
  EXPECT_FALSE(fibers.ended("waits"));
  ready = true;
  fibers.waiter("w").wake();
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("waits"));
}

TEST(Waiter, IsLeftCleanByAConditionThatThrows) {
  TestFibers fibers(8);
  int calls = 0;
  fibers.start("throws", [&] {
    EXPECT_THROW(fibers.waiter("w").wait([&]() -> bool {
      if (++calls == 2) throw std::runtime_error("looked twice");
      return false;
    }),
                 std::runtime_error);
    EXPECT_FALSE(fibers.waiter("w").waited_on());
  });
  fibers.run_until_idle();
  EXPECT_EQ(calls, 2);
}

TEST(Waiter, SurvivesAConditionThatWakesItsOwnWaiter) {
  TestFibers fibers(9);
  int looks = 0;
  fibers.start("self", [&] {
    fibers.waiter("w").wait([&] {
      fibers.waiter("w").wake();
      return ++looks == 6;
    });
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("self"));
}

// The exceptions being handled belong to the thread in the C++ ABI, not to a fiber.
TEST(Waiter, MayBeWaitedOnInsideACatchBlock) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    TestFibers fibers(seed);
    int turn = 0;
    for (int i = 0; i < 5; ++i) {
      fibers.start("f" + std::to_string(i), [&fibers, &turn, i] {
        Waiter& waiter = fibers.waiter(std::to_string(i));
        for (int round = 0; round < 4; ++round) {
          const std::string mine = std::to_string(i) + "/" + std::to_string(round);
          try {
            try {
              throw std::runtime_error(mine);
            } catch (const std::runtime_error&) {
              const int seen = turn;
              waiter.wait([&] { return turn != seen; });
              throw;
            }
          } catch (const std::runtime_error& caught) {
            EXPECT_EQ(caught.what(), mine);
          }
          EXPECT_EQ(std::current_exception(), nullptr);
        }
      });
    }
    for (; turn < 5; ++turn) {
      fibers.run_until_idle();
      for (int i = 0; i < 5; ++i) fibers.waiter(std::to_string(i)).wake();
    }
  }
}

// Two threads hand a token to and fro: a lost wake hangs, a wake too many breaks the scheduler.
TEST(Waiter, LosesNoWakeBetweenTwoThreads) {
  const int rounds = testing::scaled(100'000, 1000);
  Waiter ping, pong;
  std::atomic<int> token{0};
  SchedulerPool pool(SystemClock::instance(), 2);
  auto player = [&](Waiter& mine, Waiter& other, int parity) {
    return [&, parity] {
      for (int i = 0; i < rounds; ++i) {
        mine.wait([&] { return token.load(std::memory_order_acquire) == 2 * i + parity; });
        token.store(2 * i + parity + 1, std::memory_order_release);
        other.wake();
      }
    };
  };
  auto a = pool.spawn(0, "ping", player(ping, pong, 0));
  auto b = pool.spawn(1, "pong", player(pong, ping, 1));
  a.finished().get();
  b.finished().get();
  EXPECT_EQ(token.load(), 2 * rounds);
}

TEST(Waiter, IsWokenByThreadsWithoutFibers) {
  const int rounds = testing::scaled(20'000, 500);
  Waiter waiter;
  std::atomic<int> announced{0}, seen{0};
  SchedulerPool pool(SystemClock::instance(), 1);
  auto fiber = pool.spawn(0, "reader", [&] {
    for (int i = 1; i <= rounds; ++i) {
      waiter.wait([&] { return announced.load(std::memory_order_acquire) >= i; });
      seen.store(i, std::memory_order_release);
    }
  });
  std::thread noise([&] {
    while (seen.load(std::memory_order_acquire) < rounds) {
      waiter.wake();
      std::this_thread::yield();
    }
  });
  for (int i = 1; i <= rounds; ++i) {
    announced.store(i, std::memory_order_release);
    waiter.wake();
  }
  fiber.finished().get();
  noise.join();
  EXPECT_EQ(seen.load(), rounds);
}

// Timeout and wake race for the same wait; whoever loses must leave it alone.
TEST(Waiter, SurvivesTheRaceOfDeadlineAndWake) {
  const int rounds = testing::scaled(20'000, 500);
  Waiter waiter;
  std::atomic<int> count{0};
  std::atomic<bool> over{false};
  SchedulerPool pool(SystemClock::instance(), 2);
  int timeouts = 0, news = 0;
  auto waits = pool.spawn(0, "waits", [&] {
    const Clock& clock = SystemClock::instance();
    for (int i = 0, last = 0; i < rounds; ++i) {
      const std::int64_t deadline = clock.now_ns() + std::int64_t{i % 40} * 1000;
      if (waiter.wait_until(deadline, [&] { return count.load() != last; })) {
        ++news;
        last = count.load();
      } else {
        ++timeouts;
        EXPECT_GE(clock.now_ns(), deadline);
      }
    }
    over = true;
  });
  auto wakes = pool.spawn(1, "wakes", [&] {
    Waiter pause;
    for (int i = 0; !over; ++i) {
      count.fetch_add(1);
      waiter.wake();
      pause.wait_until(SystemClock::instance().now_ns() + std::int64_t{i % 30} * 1000,
                       [] { return false; });
    }
  });
  waits.finished().get();
  wakes.finished().get();
  EXPECT_EQ(timeouts + news, rounds);
}

}  // namespace
}  // namespace freshet::core
