// The memory of a worker's batches, with what their rows keep outside of them (strings, lists): one
// budget, lent to its channels.
//
// A channel borrows as many batches as it keeps busy while there are enough, and may always have
// one. When they run short, a writer waits until somebody returns one: first come, first served. So
// a shortage slows a job and never fails it; what is borrowed exceeds the budget by at most one
// batch a channel, with its extra bytes. Those are counted when a batch is sent: so that they are
// few before, a batch has a limit of them, after which it is sent (Batch::is_heavy()). Returned
// batches are lent again, the last one first, since the cache still has it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "freshet/api.h"
#include "freshet/plugin/batch.h"
#include "task/waiter.h"

namespace freshet::core {

// Outlives its shares.
class FRESHET_API BufferBudget {
 public:
  // `bytes` in batches of `batch_bytes` each (a record that is larger gets a batch of its size,
  // what it has more than that counts, too). `extra_limit` is that of its batches.
  BufferBudget(std::size_t bytes, std::size_t batch_bytes,
               std::size_t extra_limit = Batch::kExtraLimit);
  ~BufferBudget();
  BufferBudget(const BufferBudget&) = delete;
  BufferBudget& operator=(const BufferBudget&) = delete;

  // One channel's part in the budget. Outlives every call to it.
  class FRESHET_API Share {
   public:
    // `writer` is the waiter of the one fiber that acquires.
    Share(BufferBudget& budget, Waiter& writer);
    ~Share();  // asserts: all returned
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;

    // An empty batch, or nullptr: there is a shortage. Never waits. [writer]
    Batch* try_acquire(const RecordType& type, std::uint32_t max_rows);
    // One more than the budget has. [writer]
    Batch* acquire_beyond(const RecordType& type, std::uint32_t max_rows);
    // Empties it, too. [any thread]
    void give_back(Batch* batch) noexcept;
    // Counts what the batch has beside its rows now. True: it has less than before. [who has the
    // batch]
    bool count_extra(Batch& batch) noexcept;
    // Borrowed and not returned, a moment ago. [any thread]
    std::uint32_t borrowed() const noexcept { return borrowed_.load(std::memory_order_relaxed); }

   private:
    friend class BufferBudget;
    BufferBudget& budget_;
    Waiter& writer_;
    std::atomic<std::uint32_t> borrowed_{0};
    std::atomic<bool> first_in_line_{false};
    Share* next_ = nullptr;
    Share* previous_ = nullptr;
    bool in_line_ = false;
  };

  // While it lives, the share stands in the line of those that wait: its writer is woken when it
  // may try again. [writer]
  class FRESHET_API InLine {
   public:
    explicit InLine(Share& share);
    ~InLine();
    InLine(const InLine&) = delete;
    InLine& operator=(const InLine&) = delete;

   private:
    Share& share_;
  };

  // Somebody waits: who has a batch to spare returns it. [any thread]
  bool short_of_batches() const noexcept { return waiting_.load(std::memory_order_relaxed) > 0; }
  std::size_t batch_bytes() const noexcept { return batch_bytes_; }
  // How many batches the budget is.
  std::int64_t limit() const noexcept { return limit_; }
  // Of rows that keep bytes elsewhere: what those of lent batches take, a moment ago. [any thread]
  std::int64_t extra_bytes() const noexcept { return extra_.load(std::memory_order_relaxed); }
  // More is out than the budget has: who has a batch to spare had better return it. [any thread]
  bool exceeded() const noexcept { return borrowed() > room(); }
  // A moment ago. [any thread]
  std::int64_t borrowed() const noexcept { return borrowed_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) Cache {
    std::mutex mutex;
    std::vector<Batch*> batches;
  };
  static constexpr std::size_t kCaches = 16;
  static constexpr std::size_t kMostInCache = 8;

  // In batches: what is left for them.
  std::int64_t room() const noexcept {
    return limit_ - extra_bytes() / static_cast<std::int64_t>(batch_bytes_);
  }
  bool take_one(Share& share) noexcept;
  Batch* batch_for(const RecordType& type, std::uint32_t max_rows);
  void keep(Batch* batch) noexcept;
  bool fits(const RecordType& type) const noexcept;
  void wake_first() noexcept;  // under line_mutex_

  const std::size_t batch_bytes_;
  const std::size_t extra_limit_;
  const std::int64_t limit_;
  alignas(64) std::atomic<std::int64_t> borrowed_{0};
  std::atomic<std::int64_t> extra_{0};
  std::atomic<std::int64_t> waiting_{0};
  std::mutex line_mutex_;
  Share* first_ = nullptr;
  Share* last_ = nullptr;
  Cache caches_[kCaches];  // by thread
  Cache common_;           // what they have too much of
};

}  // namespace freshet::core
