#include "freshet/await.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "clock/clock.h"
#include "freshet/future.h"
#include "task/scheduler.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

TEST(Await, RunsInPlaceOutsideOfFibers) {
  const auto here = std::this_thread::get_id();
  EXPECT_EQ(await([] { return std::this_thread::get_id(); }), here);
  EXPECT_THROW(await([]() -> int { throw std::runtime_error("in place"); }), std::runtime_error);
}

TEST(Await, RunsOnAHelperThreadWhileOtherFibersGoOn) {
  TestFibers fibers(1);
  Promise<void> release;
  std::thread::id ran_on;
  bool other_ran = false;
  std::unique_ptr<int> result;
  fibers.start("reads", [&] {
    result = await([&] {
      ran_on = std::this_thread::get_id();
      release.future().get();  // blocks the helper
      return std::make_unique<int>(17);
    });
  });
  fibers.start("other", [&] { other_ran = true; });
  fibers.run_until_idle();
  EXPECT_TRUE(other_ran);
  EXPECT_FALSE(fibers.ended("reads"));
  release.set_value();
  fibers.run_until_all_have_ended();
  ASSERT_TRUE(result);
  EXPECT_EQ(*result, 17);
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(Await, BringsExceptionsBack) {
  TestFibers fibers(2);
  std::string message;
  fibers.start("reads", [&] {
    try {
      await([] { throw std::runtime_error("disk is full"); });
    } catch (const std::runtime_error& error) {
      message = error.what();
    }
  });
  fibers.run_until_all_have_ended();
  EXPECT_EQ(message, "disk is full");
}

TEST(Await, FinishesItsFunctionIfItsFiberIsCanceledAndThenThrows) {
  TestFibers fibers(3);
  Promise<void> release;
  bool finished = false, canceled = false;
  fibers.start("reads", [&] {
    try {
      await([&] {
        release.future().get();
        finished = true;
      });
    } catch (const Canceled&) {
      canceled = true;
    }
  });
  fibers.run_until_idle();
  fibers.cancel("reads");
  fibers.run_until_idle();
  EXPECT_FALSE(fibers.ended("reads"));
  release.set_value();
  fibers.run_until_all_have_ended();
  EXPECT_TRUE(finished);
  EXPECT_TRUE(canceled);
}

TEST(Await, ServesMoreFibersThanThereAreHelpers) {
  SchedulerOptions options;
  options.most_helper_threads = 3;
  SchedulerPool pool(SystemClock::instance(), 2, options);
  std::atomic<int> inside{0}, most{0}, calls{0};
  std::vector<FiberHandle> fibers;
  for (std::size_t i = 0; i < 40; ++i) {
    fibers.push_back(pool.spawn(i % 2, "reads", [&] {
      for (int j = 0; j < 5; ++j) {
        await([&] {
          const int now = ++inside;
          for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
          }
          std::this_thread::yield();
          --inside;
          ++calls;
        });
      }
    }));
  }
  for (auto& fiber : fibers) fiber.finished().get();
  EXPECT_EQ(calls.load(), 200);
  EXPECT_LE(most.load(), 3);
}

}  // namespace
}  // namespace freshet::core
