#include "freshet/shared_resource.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "freshet/error.h"

namespace freshet {
namespace {

// Counts those that exist.
struct Pool {
  explicit Pool(std::atomic<int>& alive) : alive(&alive) { ++alive; }
  Pool(Pool&& other) noexcept : alive(std::exchange(other.alive, nullptr)) {}
  ~Pool() {
    if (alive) --*alive;
  }
  std::atomic<int>* alive;
};

TEST(SharedResource, IsMadeOnceAndDestroyedWhenTheLastLetsGo) {
  std::atomic<int> alive{0};
  int made = 0;
  const auto get = [&] {
    return shared_resource<Pool>("test.pool", "Pool/1", [&] {
      ++made;
      return Pool(alive);
    });
  };
  auto first = get();
  auto second = get();
  EXPECT_EQ(first.get(), second.get());
  EXPECT_EQ(made, 1);
  first.reset();
  EXPECT_EQ(alive, 1);
  second.reset();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(get()->alive, &alive);
  EXPECT_EQ(made, 2);
}

TEST(SharedResource, IsOneObjectForManyThreadsAtAnyTime) {
  std::atomic<int> alive{0};
  std::atomic<int> made{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        const auto pool = shared_resource<Pool>("test.many", "Pool/1", [&] {
          EXPECT_EQ(alive, 0) << "the one before is gone";
          ++made;
          return Pool(alive);
        });
        EXPECT_EQ(alive, 1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(alive, 0);
  EXPECT_GE(made, 1);
}

TEST(SharedResource, OfAnotherTypeIsRefusedByName) {
  std::atomic<int> alive{0};
  const auto kept = shared_resource<Pool>("test.typed", "Pool/1", [&] { return Pool(alive); });
  try {
    static_cast<void>(shared_resource<int>("test.typed", "Pool/2", [] { return 1; }));
    FAIL() << "it was given out";
  } catch (const InvalidInput& error) {
    EXPECT_STREQ(error.what(),
                 "the shared resource 'test.typed' is a Pool/1 and is asked for as a Pool/2: use "
                 "another name, or the same version of what makes it");
  }
}

TEST(SharedResource, ThatCouldNotBeMadeIsTriedAnew) {
  int tries = 0;
  const auto get = [&] {
    return shared_resource<int>("test.fails", "int", [&] {
      if (++tries == 1) throw Error("no connection");
      return 7;
    });
  };
  EXPECT_THROW(get(), Error);
  EXPECT_EQ(*get(), 7);
}

// One makes it and fails while others wait: those get the error, whoever comes later does not.
TEST(SharedResource, ThatCouldNotBeMadeFailsForThoseWhoWaited) {
  std::atomic<bool> making{false}, go_on{false};
  std::thread first([&] {
    EXPECT_THROW(shared_resource<int>("test.waited", "int",
                                      [&]() -> int {
                                        making = true;
                                        while (!go_on) std::this_thread::yield();
                                        throw Error("no connection");
                                      }),
                 Error);
  });
  while (!making) std::this_thread::yield();
  std::atomic<int> outcomes{0};
  std::thread second([&] {
    try {
      EXPECT_EQ(*shared_resource<int>("test.waited", "int", [] { return 7; }), 7);
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(),
                   "the shared resource 'test.waited' could not be made: no connection");
    }
    ++outcomes;
  });
  go_on = true;
  first.join();
  second.join();
  EXPECT_EQ(outcomes, 1);
}

}  // namespace
}  // namespace freshet
