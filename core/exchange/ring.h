// A bounded queue from one thread to one other, without locks.
#pragma once

#include <atomic>
#include <bit>
#include <cassert>
#include <cstdint>
#include <memory>
#include <utility>

namespace freshet::core {

// One writer, one reader. Each keeps the other's index as last seen, so that a cache line moves
// between cores once a lap and not once a push. Neither call waits; whoever does so uses a Waiter.
template <class T>
class Ring {
 public:
  explicit Ring(std::uint32_t capacity)
      : capacity_(capacity),
        mask_(std::bit_ceil(capacity) - 1),
        slots_(std::make_unique<T[]>(mask_ + 1)) {
    assert(capacity > 0 && capacity <= 1u << 30);
  }
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // False if full; `value` is then unchanged. [writer]
  template <class U>
  bool push(U&& value) {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ >= capacity_) {
      head_seen_ = head_.load(std::memory_order_acquire);
      if (tail - head_seen_ >= capacity_) return false;
    }
    slots_[tail & mask_] = std::forward<U>(value);
    tail_.store(tail + 1, std::memory_order_release);
    return true;
  }
  // [writer]
  bool full() noexcept {
    const std::uint32_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ < capacity_) return false;
    head_seen_ = head_.load(std::memory_order_acquire);
    return tail - head_seen_ >= capacity_;
  }

  // False if empty. [reader]
  bool pop(T& value) {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);
      if (head == tail_seen_) return false;
    }
    value = std::move(slots_[head & mask_]);
    head_.store(head + 1, std::memory_order_release);
    return true;
  }
  // [reader]
  bool empty() noexcept {
    const std::uint32_t head = head_.load(std::memory_order_relaxed);
    if (head != tail_seen_) return false;
    tail_seen_ = tail_.load(std::memory_order_acquire);
    return head == tail_seen_;
  }

  // A moment old. [any thread]
  std::uint32_t size() const noexcept {
    const std::uint32_t head = head_.load(std::memory_order_acquire);
    return tail_.load(std::memory_order_acquire) - head;
  }
  std::uint32_t capacity() const noexcept { return capacity_; }

 private:
  const std::uint32_t capacity_;
  const std::uint32_t mask_;
  const std::unique_ptr<T[]> slots_;
  alignas(64) std::atomic<std::uint32_t> head_{0};
  std::uint32_t tail_seen_ = 0;  // the reader's
  alignas(64) std::atomic<std::uint32_t> tail_{0};
  std::uint32_t head_seen_ = 0;  // the writer's
};

}  // namespace freshet::core
