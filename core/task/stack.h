// Stacks of fibers: mapped, with a guard below, only touched pages take memory.
//
// An overflow hits the guard; the signal handler then names the fiber, its stack's size and the
// option to raise on standard error, and the process dies by the signal as it would have.
#pragma once

#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/error.h"

namespace freshet {

// A stack could not be mapped: out of address space, memory or mappings.
class FRESHET_API StackUnavailable : public Error {
 public:
  using Error::Error;
  ~StackUnavailable() override;
};

// Where a fiber's stack ends.
struct StackGuard {
  const char* low = nullptr;
  const char* high = nullptr;  // the stack's lowest byte
};

// The stacks of one thread's fibers; that thread alone calls. Keeps some of the usual size mapped,
// their touched pages too (none in address-sanitizer builds, which then find uses after the end).
class FRESHET_API StackPool {
 public:
  StackPool() = default;
  ~StackPool();
  StackPool(const StackPool&) = delete;
  StackPool& operator=(const StackPool&) = delete;

  // `size` bytes, rounded up to pages. Throws StackUnavailable.
  boost::context::stack_context take(std::size_t size, StackGuard& guard);
  void give_back(boost::context::stack_context& stack) noexcept;

 private:
  std::vector<boost::context::stack_context> kept_;
};

// Who the calling thread runs just now, as asked by the signal handler.
struct RunningFiber {
  StackGuard guard;
  const char* name = nullptr;
  std::size_t stack_size = 0;
};

// Once per process: the handler, which passes every other fault on to the one before it.
// `running` is called in a signal handler; false: this thread runs no fiber.
void report_stack_overflows(bool (*running)(RunningFiber&));

// An alternate signal stack for the calling thread, on which the handler can run when the stack is
// full. For the life of the object.
class SignalStack {
 public:
  SignalStack();
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace freshet
