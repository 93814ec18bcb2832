// How a waiting call blocks: the thread outside of fibers, only the fiber inside.
//
// The SDK knows no fibers. A thread that runs some installs a Suspender; all other threads sleep on
// a futex. Not for jobs.
#pragma once

#include <atomic>
#include <cstdint>

#include "freshet/api.h"

namespace freshet::detail {

inline constexpr std::int64_t kNever = INT64_MAX;

// The calls of a thread that runs fibers; `place` is Event's room for one waiter.
struct Suspender {
  void (*construct)(void* place) noexcept;
  // Suspends the calling fiber until `set` is not 0 (true) or the deadline has passed (false).
  // Throws Canceled if the fiber is canceled meanwhile.
  bool (*wait)(void* place, const std::atomic<std::uint32_t>& set, std::int64_t deadline_ns);
  void (*wake)(void* place) noexcept;  // [any thread]
  std::int64_t (*now_ns)() noexcept;   // the clock of deadlines
  // Runs function(argument) on a helper thread and suspends the calling fiber until it has
  // returned. The function can't be canceled: it may use the fiber's stack. Throws Canceled after
  // it if the fiber is.
  void (*run_elsewhere)(void (*function)(void*), void* argument);
};

// Of the calling thread; nullptr where a wait may block the thread. Installed once per thread, for
// as long as it runs fibers.
FRESHET_API void set_suspender(const Suspender* suspender) noexcept;
FRESHET_API const Suspender* suspender() noexcept;

// Monotonic nanoseconds by the clock that deadlines of the calling thread are judged by.
FRESHET_API std::int64_t deadline_clock_ns() noexcept;

// One waiter's event, set once. Belongs to the thread (fiber) that made it.
class FRESHET_API Event {
 public:
  Event() noexcept;
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  // True once set, false after the deadline. [owner]
  bool wait(std::int64_t deadline_ns);
  // [any thread] The caller sees to it that the event outlives this call: the owner may go on as
  // soon as it begins.
  void set() noexcept;

 private:
  std::atomic<std::uint32_t> set_{0};
  const Suspender* suspender_;
  alignas(void*) unsigned char place_[2 * sizeof(void*)];
};

}  // namespace freshet::detail
