// Where the roles of a process live: one thread that runs their handlers as fibers.
//
// OwnControlThread is a thread of its own; the simulated one (simulation/simulated_thread.h) is the
// test's thread, with a seed that draws the order and a clock that the simulation moves.
//
// Threads    post(), clock() and is_current() from any; the rest from the control thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "clock/clock.h"
#include "freshet/api.h"
#include "task/fiber.h"

namespace freshet::core {

using TimerId = std::uint64_t;

class FRESHET_API ControlThread {
 public:
  virtual ~ControlThread();
  virtual const Clock& clock() const = 0;
  // Runs it in a fiber of its own, soon. An exception that leaves it is a broken invariant: it is
  // logged and ends the process.
  virtual void post(std::string name, FiberFunction function) = 0;
  virtual bool is_current() const = 0;
  // Runs it in a fiber of its own at that time of the clock, unless canceled before.
  virtual TimerId at(std::int64_t deadline_ns, std::string name, FiberFunction function) = 0;
  virtual void cancel(TimerId timer) = 0;  // may repeat, also after it ran

  TimerId after_ms(std::int64_t milliseconds, std::string name, FiberFunction function) {
    return at(clock().now_ns() + milliseconds * 1'000'000, std::move(name), std::move(function));
  }
};

// The real one: what is posted begins in the order of posting.
class FRESHET_API OwnControlThread final : public ControlThread {
 public:
  // `clock` is the system's (SchedulerPool) and outlives it.
  explicit OwnControlThread(const Clock& clock, const std::string& name = "fr-control");
  // Drops the timers, cancels the fibers that still run and waits for them. What is posted
  // meanwhile is dropped. [a thread without fibers]
  ~OwnControlThread() override;

  const Clock& clock() const override;
  void post(std::string name, FiberFunction function) override;
  bool is_current() const override;
  TimerId at(std::int64_t deadline_ns, std::string name, FiberFunction function) override;
  void cancel(TimerId timer) override;

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace freshet::core
