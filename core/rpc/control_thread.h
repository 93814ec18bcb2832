// Where the roles of a process live: one thread that runs their handlers as fibers.
//
// The real one is a thread of its own (control_thread.cpp), the simulated one is the test's thread,
// with a seed that draws the order and a clock that the test moves.
//
// Threads    post() and clock() from any; the rest from the control thread.
#pragma once

#include <cstdint>
#include <string>

#include "freshet/api.h"
#include "task/clock.h"
#include "task/fiber.h"

namespace freshet {

using TimerId = std::uint64_t;

class FRESHET_API ControlThread {
 public:
  virtual ~ControlThread();
  virtual const Clock& clock() const = 0;
  // Runs it in a fiber of its own, soon. An exception that leaves it is a broken invariant: it is
  // logged and ends the process.
  virtual void post(std::string name, FiberFunction function) = 0;
  // Runs it in a fiber of its own at that time of the clock, unless canceled before.
  virtual TimerId at(std::int64_t deadline_ns, std::string name, FiberFunction function) = 0;
  virtual void cancel(TimerId timer) = 0;  // may repeat, also after it ran

  TimerId after_ms(std::int64_t milliseconds, std::string name, FiberFunction function) {
    return at(clock().now_ns() + milliseconds * 1'000'000, std::move(name), std::move(function));
  }
};

}  // namespace freshet
