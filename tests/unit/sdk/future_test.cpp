#include "freshet/future.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
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

std::exception_ptr error_of(const char* text) {
  return std::make_exception_ptr(std::runtime_error(text));
}

template <class T>
std::string message_of(const Future<T>& future) {
  try {
    future.get();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(Future, GivesTheValueToEveryCopy) {
  Promise<std::string> promise;
  auto a = promise.future();
  auto b = a;  // NOLINT(performance-unnecessary-copy-initialization): what is tested
  EXPECT_FALSE(a.ready());
  EXPECT_TRUE(promise.set_value("melt"));
  EXPECT_TRUE(a.ready());
  EXPECT_EQ(a.get(), "melt");
  EXPECT_EQ(b.get(), "melt");
  EXPECT_EQ(promise.future().get(), "melt");
}

TEST(Future, TakesTheFirstOfSeveralResults) {
  Promise<int> promise;
  EXPECT_TRUE(promise.set_value(1));
  EXPECT_FALSE(promise.set_value(2));
  EXPECT_FALSE(promise.set_error(error_of("late")));
  EXPECT_EQ(promise.future().get(), 1);
}

TEST(Future, HandsOutAValueThatOnlyMoves) {
  Promise<std::unique_ptr<int>> promise;
  auto future = promise.future();
  promise.set_value(std::make_unique<int>(9));
  auto doubled = future.then([](std::unique_ptr<int> value) { return *value * 2; });
  EXPECT_EQ(doubled.get(), 18);
}

TEST(Future, ThrowsTheErrorEachTime) {
  auto future = make_failed_future<int>(error_of("flood"));
  EXPECT_EQ(message_of(future), "flood");
  EXPECT_EQ(message_of(future), "flood");
}

TEST(Future, OfAPromiseThatDiesUnsetIsBroken) {
  Future<int> future;
  EXPECT_FALSE(future.valid());
  {
    Promise<int> promise;
    future = promise.future();
    Promise<int> moved = std::move(promise);
    promise = Promise<int>();
    EXPECT_FALSE(future.ready());
  }
  EXPECT_THROW(future.get(), BrokenPromise);
}

TEST(Future, ExceptionFromTheValuesConstructorIsTheError) {
  struct Throws {
    explicit Throws(int) { throw std::runtime_error("cannot be made"); }
  };
  Promise<Throws> promise;
  EXPECT_TRUE(promise.set_value(1));
  EXPECT_EQ(message_of(promise.future()), "cannot be made");
}

TEST(Future, GivesUpAfterTheTime) {
  Promise<int> promise;
  Promise<void> nothing;
  EXPECT_EQ(promise.future().get_for(0), std::nullopt);
  EXPECT_EQ(promise.future().get_for(2), std::nullopt);
  EXPECT_FALSE(nothing.future().get_for(1));
  EXPECT_FALSE(promise.future().wait_for(-5));
  promise.set_value(3);
  nothing.set_value();
  EXPECT_EQ(promise.future().get_for(0), 3);
  EXPECT_EQ(promise.future().get_for(INT64_MAX), 3);
  EXPECT_TRUE(nothing.future().get_for(0));
}

TEST(Future, ContinuesOnTheCompletingThreadOrAtOnce) {
  Promise<int> promise;
  std::thread::id ran_on;
  auto first = promise.future().then([&](int value) {
    ran_on = std::this_thread::get_id();
    return value + 1;
  });
  EXPECT_FALSE(first.ready());
  std::thread completer([&] { promise.set_value(1); });
  const auto completer_id = completer.get_id();
  completer.join();
  EXPECT_EQ(first.get(), 2);
  EXPECT_EQ(ran_on, completer_id);
  bool at_once = false;
  auto second = promise.future().then([&](int) { at_once = true; });
  EXPECT_TRUE(at_once);
  second.get();
}

TEST(Future, ContinuationsRunInTheirOrder) {
  Promise<void> promise;
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) {
    static_cast<void>(promise.future().then([&order, i] { order.push_back(i); }));
  }
  promise.set_value();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Future, ErrorsSkipContinuationsOfTheValueAndReachThoseOfTheFuture) {
  Promise<int> promise;
  bool called = false;
  auto skipped = promise.future().then([&](int) { called = true; });
  auto mended = promise.future().then(
      [](const Future<int>& done) { return std::string("mended: ") + message_of(done); });
  auto rethrown = skipped.then([] { return 1; }).then([](int) { return 2; });
  promise.set_error(error_of("flood"));
  EXPECT_FALSE(called);
  EXPECT_EQ(message_of(skipped), "flood");
  EXPECT_EQ(mended.get(), "mended: flood");
  EXPECT_EQ(message_of(rethrown), "flood");
}

TEST(Future, WhatAContinuationThrowsIsItsFuturesError) {
  auto future = make_ready_future(1).then([](int) -> int { throw std::runtime_error("then"); });
  EXPECT_EQ(message_of(future), "then");
}

TEST(Future, AContinuationThatReturnsAFutureIsFollowed) {
  Promise<int> outer;
  Promise<std::string> inner;
  Future<std::string> result = outer.future().then([&](int) { return inner.future(); });
  outer.set_value(1);
  EXPECT_FALSE(result.ready());
  inner.set_value("inner");
  EXPECT_EQ(result.get(), "inner");

  Future<void> failed =
      make_ready_future().then([] { return make_failed_future<void>(error_of("inner failed")); });
  EXPECT_EQ(message_of(failed), "inner failed");
}

TEST(Future, ForgetsContinuationsThatNeverRun) {
  auto held = std::make_shared<int>(0);
  {
    Promise<int> promise;
    static_cast<void>(promise.future().then([held](int) { FAIL(); }));
  }
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Future, BlocksOnlyTheFiberThatWaits) {
  TestFibers fibers(3);
  Promise<int> promise;
  int got = 0;
  bool other_ran = false;
  fibers.start("waits", [&] { got = promise.future().get(); });
  fibers.start("other", [&] { other_ran = true; });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("waits"));
  EXPECT_TRUE(other_ran);
  promise.set_value(5);
  fibers.run_until_idle();
  EXPECT_EQ(got, 5);
}

TEST(Future, GivesUpInsideAFiberByItsThreadsClock) {
  TestFibers fibers(4);
  Promise<int> promise;
  std::optional<int> got = 1;
  fibers.start("waits", [&] { got = promise.future().get_for(10); });
  fibers.run_until_idle();
  fibers.advance_ns(9'999'999);
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("waits"));
  fibers.advance_ns(1);
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("waits"));
  EXPECT_EQ(got, std::nullopt);
  promise.set_value(1);  // nobody is left in the list
}

TEST(Future, WaitsOfACanceledFiberThrowCanceled) {
  TestFibers fibers(5);
  Promise<int> promise;
  bool canceled = false;
  fibers.start("waits", [&] {
    try {
      promise.future().get();
    } catch (const Canceled&) {
      canceled = true;
    }
  });
  fibers.run_until_idle();
  fibers.cancel("waits");
  fibers.run_until_idle();
  EXPECT_TRUE(canceled);
  promise.set_value(1);
}

// Threads and fibers wait for the same futures while others complete them.
TEST(Future, ReachesEveryWaitingThreadAndFiber) {
  const int rounds = testing::scaled(2000, 50);
  SchedulerPool pool(SystemClock::instance(), 2);
  for (int round = 0; round < rounds; ++round) {
    Promise<int> promise;
    auto future = promise.future();
    std::atomic<int> sum{0};
    std::vector<FiberHandle> fibers;
    for (std::size_t i = 0; i < 4; ++i) {
      fibers.push_back(pool.spawn(i % 2, "waits", [&sum, future, i] {
        sum += i < 2 ? future.get() : future.get_for(60'000).value_or(1000);
      }));
    }
    auto added = future.then([&](int value) { sum += value; });
    std::thread completer([moved = std::move(promise)]() mutable { moved.set_value(1); });
    sum += future.get();
    for (auto& fiber : fibers) fiber.finished().get();
    added.get();
    completer.join();
    ASSERT_EQ(sum.load(), 6);
  }
}

TEST(Future, TimeoutsAndCompletionsMayRace) {
  const int rounds = testing::scaled(2000, 50);
  SchedulerPool pool(SystemClock::instance(), 1);
  int late = 0;
  for (int round = 0; round < rounds; ++round) {
    Promise<int> promise;
    auto fiber = pool.spawn(0, "waits", [&late, future = promise.future()] {
      if (!future.get_for(1)) ++late;
    });
    if (round % 2) static_cast<void>(fiber.finished().wait_for(round % 3));
    promise.set_value(round);
    fiber.finished().get();
  }
  EXPECT_LE(late, rounds);
}

}  // namespace
}  // namespace freshet::core
