#include "exchange/buffer_budget.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/plugin/record_type.h"
#include "scale.h"
#include "task/scheduler.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

const RecordType& ints() { return record_type<std::int64_t>(); }

struct Huge {
  std::array<char, 100'000> bytes;
};
const RecordType& huge() {
  static RecordType type = [] {
    RecordType made = ints();
    made.size = sizeof(Huge);
    made.align = alignof(Huge);
    return made;
  }();
  return type;
}

TEST(BufferBudget, LendsTheBatchThatCameBackLast) {
  BufferBudget budget(std::size_t{10} * 16384, 16384);
  EXPECT_EQ(budget.limit(), 10);
  Waiter waiter;
  BufferBudget::Share share(budget, waiter);
  Batch* a = share.try_acquire(ints(), 0);
  Batch* b = share.try_acquire(ints(), 0);
  EXPECT_EQ(share.borrowed(), 2u);
  EXPECT_EQ(budget.borrowed(), 2);
  share.give_back(a);
  share.give_back(b);
  EXPECT_EQ(budget.borrowed(), 0);
  EXPECT_EQ(share.try_acquire(ints(), 0), b);
  EXPECT_EQ(share.try_acquire(ints(), 7), a);
  EXPECT_EQ(a->capacity(), 7u);
  EXPECT_GT(b->capacity(), 900u);
  share.give_back(a);
  share.give_back(b);
}

TEST(BufferBudget, RefusesBeyondTheLimitButNeverTheFirst) {
  BufferBudget budget(std::size_t{2} * 16384, 16384);
  Waiter w1, w2;
  BufferBudget::Share one(budget, w1), two(budget, w2);
  std::vector<Batch*> held{one.try_acquire(ints(), 0), one.try_acquire(ints(), 0)};
  EXPECT_EQ(one.try_acquire(ints(), 0), nullptr);
  Batch* first_of_two = two.try_acquire(ints(), 0);
  ASSERT_TRUE(first_of_two);
  EXPECT_EQ(budget.borrowed(), 3);
  EXPECT_EQ(two.try_acquire(ints(), 0), nullptr);
  one.give_back(held.back());
  EXPECT_EQ(two.try_acquire(ints(), 0), nullptr);  // still as many as the limit
  one.give_back(held.front());
  Batch* second_of_two = two.try_acquire(ints(), 0);
  ASSERT_TRUE(second_of_two);
  two.give_back(first_of_two);
  two.give_back(second_of_two);
}

TEST(BufferBudget, GivesARecordThatIsLargerThanABatchItsOwn) {
  BufferBudget budget(std::size_t{2} * 16384, 16384);
  Waiter waiter;
  BufferBudget::Share share(budget, waiter);
  Batch* batch = share.try_acquire(huge(), 0);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->capacity(), 1u);
  static_cast<char*>(batch->raw_rows())[sizeof(Huge) - 1] = 1;
  batch->set_size(1);
  share.give_back(batch);
  batch = share.try_acquire(ints(), 0);  // not that one, nor one too small
  EXPECT_GT(batch->capacity(), 900u);
  EXPECT_LT(batch->capacity(), 1100u);
  share.give_back(batch);
}

// A writer as Channel has it: waits in line for a batch.
Batch* acquire(BufferBudget::Share& share, Waiter& waiter) {
  if (Batch* batch = share.try_acquire(ints(), 0)) return batch;
  Batch* batch = nullptr;
  BufferBudget::InLine in_line(share);
  waiter.wait([&] { return (batch = share.try_acquire(ints(), 0)) != nullptr; });
  return batch;
}

struct Held {
  BufferBudget::Share& share;
  std::vector<Batch*> batches;
  ~Held() {
    for (Batch* batch : batches) share.give_back(batch);
  }
};

TEST(BufferBudget, ServesThoseThatWaitInTheirOrderAndForgetsTheCanceled) {
  TestFibers fibers(21);
  BufferBudget budget(std::size_t{5} * 16384, 16384);
  Waiter owner;
  BufferBudget::Share rich(budget, owner);
  std::vector<Batch*> held;
  held.reserve(5);
  for (int i = 0; i < 5; ++i) held.push_back(rich.try_acquire(ints(), 0));
  std::vector<std::unique_ptr<BufferBudget::Share>> shares;
  std::vector<std::string> served;
  std::vector<std::unique_ptr<Waiter>> ends;
  for (const char* name : {"a", "b", "c"}) {
    Waiter& waiter = fibers.waiter(name);
    shares.push_back(std::make_unique<BufferBudget::Share>(budget, waiter));
    ends.push_back(std::make_unique<Waiter>());
    fibers.start(name, [&served, &share = *shares.back(), &waiter, &last = *ends.back(), name] {
      Held own{share, {}};
      own.batches.push_back(acquire(share, waiter));  // always granted
      own.batches.push_back(acquire(share, waiter));
      served.push_back(name);
      last.wait([] { return false; });
    });
    fibers.run_until_idle();
    EXPECT_TRUE(waiter.waited_on());
  }
  EXPECT_TRUE(budget.short_of_batches());
  EXPECT_EQ(budget.borrowed(), 8);
  auto return_one = [&] {
    rich.give_back(held.back());
    held.pop_back();
    fibers.run_until_idle();
  };
  for (int i = 0; i < 3; ++i) return_one();  // only back to the limit
  EXPECT_EQ(served, std::vector<std::string>{});
  EXPECT_EQ(rich.try_acquire(ints(), 0), nullptr);
  fibers.cancel("b");
  fibers.run_until_idle();
  EXPECT_EQ(served, std::vector<std::string>{"a"});
  return_one();
  EXPECT_EQ(served, (std::vector<std::string>{"a", "c"}));
  EXPECT_FALSE(budget.short_of_batches());
  return_one();
  for (const char* name : {"a", "c"}) fibers.cancel(name);
  fibers.run_until_idle();
  EXPECT_EQ(budget.borrowed(), 0);
}

TEST(BufferBudget, ServesEverybodyOnTwoThreadsWithinTheLimitAndOneEach) {
  constexpr std::size_t kShares = 6;
  const int rounds = testing::scaled(20'000, 300);
  BufferBudget budget(std::size_t{4} * 1024, 1024);
  Waiter waiters[kShares];
  std::vector<std::unique_ptr<BufferBudget::Share>> shares;
  for (auto& waiter : waiters) {
    shares.push_back(std::make_unique<BufferBudget::Share>(budget, waiter));
  }
  std::atomic<std::int64_t> most{0};
  {
    SchedulerPool pool(SystemClock::instance(), 2);
    for (std::size_t i = 0; i < kShares; ++i) {
      pool.spawn(i % 2, "borrows", [&, i] {
        std::mt19937 random(static_cast<std::uint32_t>(i));
        Held own{*shares[i], {}};
        for (int round = 0; round < rounds; ++round) {
          // Gives one back before it waits for one, so that they never all wait for each other.
          if (own.batches.size() < 2 && random() % 2) {
            if (!own.batches.empty()) {
              shares[i]->give_back(own.batches.back());
              own.batches.pop_back();
            }
            own.batches.push_back(acquire(*shares[i], waiters[i]));
            if (Batch* more = shares[i]->try_acquire(ints(), 0)) own.batches.push_back(more);
            const std::int64_t now = budget.borrowed();
            for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
            }
          } else if (!own.batches.empty()) {
            shares[i]->give_back(own.batches.back());
            own.batches.pop_back();
          }
          if (random() % 8 == 0) yield_fiber();
        }
      });
    }
  }
  EXPECT_EQ(budget.borrowed(), 0);
  EXPECT_LE(most.load(), budget.limit() + static_cast<std::int64_t>(kShares));
}

}  // namespace
}  // namespace freshet::core
