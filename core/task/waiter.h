// How a fiber waits for something that other threads bring about.
//
// The waiting fiber publishes itself, looks once more, and suspends. Whoever brings the news takes
// what was published, and so alone owes one wake; with nobody published that costs a fence. No
// timer, no spinning, and no call of the system unless the fiber's thread is parked.
//
//   waiter.wait([&] { return !ring.empty(); });   // the fiber
//   ring.push(x); waiter.wake();                  // any thread: first the news, then the wake
#pragma once

#include <atomic>
#include <boost/intrusive/set_hook.hpp>
#include <cstdint>

#include "freshet/api.h"
#include "freshet/detail/blocking.h"

namespace boost::fibers {
class context;
}

namespace freshet::core {

class Fiber;
class FiberThread;

// One wait, on the stack of the fiber that waits. Lives until the fiber runs again, so whoever took
// it out of its slot may use it until then.
class FRESHET_API Parked : public boost::intrusive::set_base_hook<> {
 public:
  // Throws Canceled if the calling fiber is, and `cancelable`.
  Parked(std::atomic<Parked*>& slot, std::int64_t deadline_ns, bool cancelable);
  // Takes back what was published; if it is taken already, suspends for the wake that is owed.
  ~Parked();
  Parked(const Parked&) = delete;
  Parked& operator=(const Parked&) = delete;

  void publish() noexcept;
  void suspend() noexcept;
  bool overdue() const noexcept;
  // [any thread] Owed once by whoever took `parked` out of its slot.
  static void wake(Parked* parked) noexcept;

  friend bool operator<(const Parked& a, const Parked& b) noexcept {
    return a.deadline_ns_ < b.deadline_ns_;
  }

 private:
  friend class FiberThread;
  bool take_back() noexcept;

  std::atomic<Parked*>& slot_;
  const std::int64_t deadline_ns_;
  boost::fibers::context* const context_;
  FiberThread* const thread_;
  Fiber* const fiber_;  // to be told of a cancel; else nullptr
  bool published_ = false;
  Parked* next_ = nullptr;  // in the inbox of thread_
};

// At most one fiber waits at a time. Outlives every wake(). wake() before the wait is not
// remembered: it is the condition that counts, and the waker changes it before it wakes.
class Waiter {
 public:
  Waiter() = default;
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Suspends the calling fiber until ready(). Throws Canceled once the fiber is canceled and
  // ready() still false.
  template <class Ready>
  void wait(Ready&& ready) {
    wait_until(detail::kNever, ready);
  }
  // False: the deadline (of the thread's Clock) has passed and ready() was still false.
  template <class Ready>
  bool wait_until(std::int64_t deadline_ns, Ready&& ready) {
    return park_until(deadline_ns, ready, true);
  }
  // For what must be waited for even by a canceled fiber.
  template <class Ready>
  void wait_despite_cancel(Ready&& ready) {
    park_until(detail::kNever, ready, false);
  }

  // [any thread, with or without fibers]
  void wake() noexcept {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    if (parked_.load(std::memory_order_relaxed) == nullptr) return;
    if (auto* parked = parked_.exchange(nullptr, std::memory_order_acq_rel)) {
      Parked::wake(parked);
    }
  }

  // A moment old.
  bool waited_on() const noexcept { return parked_.load(std::memory_order_relaxed) != nullptr; }

 private:
  template <class Ready>
  bool park_until(std::int64_t deadline_ns, Ready& ready, bool cancelable) {
    while (!ready()) {
      Parked parked(parked_, deadline_ns, cancelable);
      if (parked.overdue()) return false;
      parked.publish();
      if (ready()) return true;
      parked.suspend();
    }
    return true;
  }

  std::atomic<Parked*> parked_{nullptr};
};

}  // namespace freshet::core
