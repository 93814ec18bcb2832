#include "task/shared_end.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "clock/clock.h"
#include "freshet/future.h"
#include "network/network_thread.h"
#include "task/scheduler.h"

namespace freshet::core {
namespace {

// Its destructor waits for its thread, which may be the one that lets go of it.
template <class Thread>
struct Owner {
  template <class... Args>
  explicit Owner(Promise<std::thread::id> its_end, Args... args)
      : ended(std::move(its_end)), thread(args...) {}
  ~Owner() { ended.set_value(std::this_thread::get_id()); }
  Promise<std::thread::id> ended;
  Thread thread;
};

template <class Thread, class... Args>
std::pair<std::shared_ptr<Owner<Thread>>, Future<std::thread::id>> owner(Args... args) {
  Promise<std::thread::id> ended;
  auto future = ended.future();
  return {share_with_own_threads(std::make_unique<Owner<Thread>>(std::move(ended), args...)),
          std::move(future)};
}

TEST(SharedEnd, IsOverWithTheLastReferenceOutsideOfTheRuntime) {
  auto [shared, ended] = owner<NetworkThread>();
  auto copy = shared;
  shared.reset();
  EXPECT_FALSE(ended.ready());
  copy.reset();
  ASSERT_TRUE(ended.ready());
  EXPECT_EQ(ended.get(), std::this_thread::get_id());
}

TEST(SharedEnd, IsElsewhereWhereANetworkThreadLetsGoOfItself) {
  auto [shared, ended] = owner<NetworkThread>();
  NetworkThread& network = shared->thread;
  std::thread::id own;
  Promise<void> dropped;
  const auto done = dropped.future();
  network.post([&own, shared = std::move(shared), dropped = std::move(dropped)]() mutable {
    own = std::this_thread::get_id();
    EXPECT_TRUE(on_runtime_thread());
    dropped.set_value();
    shared.reset();
  });
  done.wait();
  EXPECT_NE(ended.get(), own);
  EXPECT_NE(ended.get(), std::this_thread::get_id());
  EXPECT_FALSE(on_runtime_thread());
}

TEST(SharedEnd, IsElsewhereWhereAFiberLetsGoOfItsThreads) {
  auto [shared, ended] = owner<SchedulerPool>(std::cref(SystemClock::instance()), std::size_t{2});
  SchedulerPool& pool = shared->thread;
  std::thread::id own;
  const auto fiber = pool.spawn(1, "last", [&own, shared = std::move(shared)]() mutable {
    own = std::this_thread::get_id();
    shared.reset();
  });
  EXPECT_NE(ended.get(), own);
}

TEST(SharedEnd, EndsMayWaitForEachOther) {
  auto [inner, inner_ended] = owner<NetworkThread>();
  struct Outer {
    std::shared_ptr<Owner<NetworkThread>> inner;
    Future<std::thread::id> inner_ended;
    Promise<void> ended;
    ~Outer() {
      inner.reset();
      inner_ended.wait();
      ended.set_value();
    }
  };
  auto outer =
      share_with_own_threads(std::unique_ptr<Outer>(new Outer{std::move(inner), inner_ended, {}}));
  const auto ended = outer->ended.future();
  NetworkThread network;
  network.post([outer = std::move(outer)]() mutable { outer.reset(); });
  EXPECT_TRUE(ended.get_for(30'000));
}

}  // namespace
}  // namespace freshet::core
