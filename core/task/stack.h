// Stacks of fibers: mapped, with a guard below, only touched pages take memory.
//
// An overflow hits the guard, and the process dies by a signal: its report (crash/crash_handler.h)
// names the fiber, its stack's size and the option to raise.
#pragma once

#include <boost/context/stack_context.hpp>
#include <cstddef>
#include <string>
#include <vector>

#include "crash/crash_handler.h"
#include "freshet/api.h"
#include "freshet/error.h"

namespace freshet::core {

// A stack could not be mapped: out of address space, memory or mappings.
class FRESHET_API StackUnavailable : public Error {
 public:
  using Error::Error;
  ~StackUnavailable() override;
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

}  // namespace freshet::core
