#include "exchange/buffer_budget.h"

#include <algorithm>
#include <cassert>
#include <new>

#include "freshet/plugin/record_type.h"

namespace freshet::core {
namespace {

std::size_t number_of_this_thread() {
  static std::atomic<std::size_t> next{0};
  static thread_local const std::size_t number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

}  // namespace

BufferBudget::BufferBudget(std::size_t bytes, std::size_t batch_bytes, std::size_t extra_limit)
    : batch_bytes_(batch_bytes),
      extra_limit_(extra_limit),
      limit_(static_cast<std::int64_t>(bytes / batch_bytes)) {}

BufferBudget::~BufferBudget() {
  assert(borrowed_ == 0 && extra_ == 0 && !first_);
  for (auto& cache : caches_) {
    for (Batch* batch : cache.batches) delete batch;
  }
  for (Batch* batch : common_.batches) delete batch;
}

// With room for a row, a timestamp, and the alignment of both.
bool BufferBudget::fits(const RecordType& type) const noexcept {
  return type.size + sizeof(std::int64_t) + 128 <= batch_bytes_;
}

bool BufferBudget::take_one(Share& share) noexcept {
  if (share.borrowed_.load(std::memory_order_acquire) == 0) {
    borrowed_.fetch_add(1, std::memory_order_relaxed);
  } else {
    if (short_of_batches() && !share.first_in_line_.load(std::memory_order_relaxed)) return false;
    std::int64_t now = borrowed_.load(std::memory_order_relaxed);
    do {
      if (now >= room()) return false;
    } while (!borrowed_.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
  }
  share.borrowed_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

Batch* BufferBudget::batch_for(const RecordType& type, std::uint32_t max_rows) {
  Batch* batch = nullptr;
  if (!fits(type)) {
    batch = new Batch(type, batch_bytes_, max_rows);
    batch->set_extra_limit(extra_limit_);
    return batch;
  }
  for (Cache* cache : {&caches_[number_of_this_thread() % kCaches], &common_}) {
    std::lock_guard lock(cache->mutex);
    if (cache->batches.empty()) continue;
    batch = cache->batches.back();
    cache->batches.pop_back();
    break;
  }
  if (batch) {
    batch->retype(type, max_rows);
  } else {
    batch = new Batch(type, batch_bytes_, max_rows);
    batch->set_extra_limit(extra_limit_);
  }
  return batch;
}

void BufferBudget::keep(Batch* batch) noexcept {
  batch->clear();
  if (!fits(batch->type())) {
    delete batch;
    return;
  }
  try {
    auto& mine = caches_[number_of_this_thread() % kCaches];
    {
      std::lock_guard lock(mine.mutex);
      if (mine.batches.size() < kMostInCache) {
        mine.batches.push_back(batch);
        return;
      }
    }
    batch->trim();  // it may lie there for long
    std::lock_guard lock(common_.mutex);
    if (static_cast<std::int64_t>(common_.batches.size()) < limit_) {
      common_.batches.push_back(batch);
      return;
    }
  } catch (const std::bad_alloc&) {  // then it goes
  }
  delete batch;
}

void BufferBudget::wake_first() noexcept {
  if (!first_) return;
  first_->first_in_line_.store(true, std::memory_order_relaxed);
  first_->writer_.wake();
}

BufferBudget::Share::Share(BufferBudget& budget, Waiter& writer)
    : budget_(budget), writer_(writer) {}

BufferBudget::Share::~Share() { assert(borrowed_ == 0 && !in_line_); }

Batch* BufferBudget::Share::try_acquire(const RecordType& type, std::uint32_t max_rows) {
  if (!budget_.take_one(*this)) return nullptr;
  try {
    return budget_.batch_for(type, max_rows);
  } catch (...) {
    borrowed_.fetch_sub(1, std::memory_order_relaxed);
    budget_.borrowed_.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
}

Batch* BufferBudget::Share::acquire_beyond(const RecordType& type, std::uint32_t max_rows) {
  Batch* batch = budget_.batch_for(type, max_rows);
  borrowed_.fetch_add(1, std::memory_order_relaxed);
  budget_.borrowed_.fetch_add(1, std::memory_order_relaxed);
  return batch;
}

bool BufferBudget::Share::count_extra(Batch& batch) noexcept {
  constexpr std::size_t kRounding = 64;
  const std::size_t larger =
      std::max(batch.memory_size(), budget_.batch_bytes_ + kRounding) - budget_.batch_bytes_;
  const std::size_t now = batch.extra_memory() + (larger > kRounding ? larger : 0);
  const std::size_t before = batch.counted();
  if (now == before) return false;
  batch.set_counted(now);
  budget_.extra_.fetch_add(static_cast<std::int64_t>(now) - static_cast<std::int64_t>(before),
                           std::memory_order_relaxed);
  return now < before;
}

void BufferBudget::Share::give_back(Batch* batch) noexcept {
  budget_.extra_.fetch_sub(static_cast<std::int64_t>(batch->counted()), std::memory_order_relaxed);
  batch->set_counted(0);
  budget_.keep(batch);
  borrowed_.fetch_sub(1, std::memory_order_release);
  budget_.borrowed_.fetch_sub(1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);  // against the one in InLine
  if (!budget_.short_of_batches()) return;
  std::lock_guard lock(budget_.line_mutex_);
  if (in_line_) writer_.wake();  // it may have had no other
  budget_.wake_first();
}

BufferBudget::InLine::InLine(Share& share) : share_(share) {
  BufferBudget& budget = share.budget_;
  std::lock_guard lock(budget.line_mutex_);
  share.in_line_ = true;
  share.next_ = nullptr;
  share.previous_ = budget.last_;
  (budget.last_ ? budget.last_->next_ : budget.first_) = &share;
  budget.last_ = &share;
  budget.waiting_.fetch_add(1, std::memory_order_relaxed);
  if (budget.first_ == &share) share.first_in_line_.store(true, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

BufferBudget::InLine::~InLine() {
  BufferBudget& budget = share_.budget_;
  std::lock_guard lock(budget.line_mutex_);
  (share_.previous_ ? share_.previous_->next_ : budget.first_) = share_.next_;
  (share_.next_ ? share_.next_->previous_ : budget.last_) = share_.previous_;
  share_.in_line_ = false;
  share_.first_in_line_.store(false, std::memory_order_relaxed);
  budget.waiting_.fetch_sub(1, std::memory_order_relaxed);
  budget.wake_first();  // there may be more than one to take
}

}  // namespace freshet::core
