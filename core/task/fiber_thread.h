// One thread that runs fibers: who is ready, who sleeps, and how the thread parks.
//
// Others reach it by three doors only, each from any thread: the inbox of fibers to be woken, the
// commands (start, cancel, end), and the futex word that notify() wakes. All three live here and
// not in Boost's scheduler, and a FiberThread is never freed, only used again: so a waker that is
// still in notify() when the thread ends touches nothing that has gone.
#pragma once

#include <atomic>
#include <boost/fiber/algo/algorithm.hpp>
#include <boost/fiber/context.hpp>
#include <boost/fiber/scheduler.hpp>
#include <boost/intrusive/set.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "task/fiber.h"
#include "task/stack.h"
#include "task/waiter.h"

namespace freshet::core {

class HelperThreads;

// If the calling thread runs a fiber's code, itself or as its helper, ends the process with
// exit_code::kFailed, as if its job had failed, and says on standard error which one called
// `function`; a child that it has forked is left alone.
FRESHET_API void end_process_left_by_task(const char* function) noexcept;
// The same of a child that such code has forked: ends it with `code`, once what it has buffered is
// written. Else nothing.
FRESHET_API void end_child_of_task(int code) noexcept;
// In such a child that goes on in the runtime, which has no threads there: says so on standard
// error and ends it with 1. `why` begins with "returned" or "threw". Else nothing.
FRESHET_API void refuse_child_of_task(const char* why) noexcept;

// The same for a thread that is neither main's nor of the runtime, such as one that an operator has
// started, while fibers run: nobody else would call `function` there, and who waits for the fibers
// would wait for the caller.
FRESHET_API void end_process_left_beside_tasks(const char* function) noexcept;

class FRESHET_API FiberThread {
 public:
  // One that no thread uses. Give it back only once the thread that entered it has been joined.
  static FiberThread& obtain();
  static void give_back(FiberThread& thread);
  // The one that the calling thread enters for tests and simulations, one after the other.
  static FiberThread& here();

  // Of the calling thread; nullptr where no fibers run.
  static FiberThread* current() noexcept;
  // The record of the calling fiber; nullptr outside of fibers and in the thread's main context.
  static Fiber* current_fiber() noexcept;

  // Makes the calling thread run fibers, for the rest of its life or until it leaves; a thread
  // enters the same FiberThread each time. Deadlines go by `clock`, which outlives it; the kernel
  // wakes by CLOCK_MONOTONIC, so only test mode takes another clock than the system's.
  void enter(HelperThreads& helpers, const Clock& clock);
  // With no fiber live. The thread waits like any other from now on.
  void leave() noexcept;
  // Starts fibers and cancels them as commanded, until commanded to end. [owner's main context]
  // `runs_tasks`: with user code of a job.
  void serve(bool runs_tasks);
  // At once, not by command. [owner's main context] If it has no stack, its future says so.
  void start_now(const std::shared_ptr<Fiber>& fiber);

  void start(std::shared_ptr<Fiber> fiber);   // [any thread]
  void cancel(std::shared_ptr<Fiber> fiber);  // [any thread] at once on its own
  void end();                                 // [any thread]

  const Clock& clock() const noexcept { return *clock_; }
  HelperThreads& helpers() const noexcept { return *helpers_; }

  // For tests: the seed draws who of the ready runs next, and nothing wakes by time alone; until
  // the thread leaves. [owner, with no fiber live]
  void begin_test_mode(std::uint64_t seed);
  // Runs fibers until none is ready. [owner's main context, test mode]
  void run_until_idle();
  // When the first of the timed waits ends; detail::kNever: there is none. [owner]
  std::int64_t next_deadline_ns() const noexcept;
  // Sleeps until another thread wakes a fiber of this one. [owner's main context, test mode]
  void sleep_until_woken();

 private:
  friend class Parked;
  class Algorithm;
  struct Command {
    enum class Kind { start, cancel, end } kind;
    std::shared_ptr<Fiber> fiber;
  };

  FiberThread() = default;

  void wake(Parked* parked) noexcept;         // [any thread]
  void make_ready(Parked* parked) noexcept;   // [owner]
  void sleep_until(Parked& parked) noexcept;  // [owner] a timed wait begins
  void command(Command command);
  void cancel_now(Fiber& fiber) noexcept;

  // The algorithm's part.
  boost::fibers::context* pick_next() noexcept;
  boost::fibers::context* draw() noexcept;
  void collect() noexcept;
  void park(std::int64_t deadline_ns) noexcept;
  void notify() noexcept;
  bool has_ready_worker() noexcept;

  boost::fibers::scheduler::ready_queue_type ready_;
  boost::intrusive::multiset<Parked> timers_;
  StackPool stacks_;
  const Clock* clock_ = nullptr;  // once a thread has entered
  HelperThreads* helpers_ = nullptr;
  bool test_mode_ = false;
  std::minstd_rand random_;
  Waiter commanded_;
  std::mutex commands_mutex_;
  std::deque<Command> commands_;
  std::atomic<bool> has_commands_{false};

  alignas(64) std::atomic<Parked*> inbox_{nullptr};
  std::atomic<std::uint32_t> word_{0};
};

}  // namespace freshet::core
