// What the operators' services ask of the task that runs their chain.
#pragma once

#include <cstdint>

#include "freshet/detail/unique_function.h"
#include "freshet/plugin/operator.h"
#include "task/mailbox.h"

namespace freshet::core {

// Threads: the task's fiber, except fail().
class TaskHost {
 public:
  virtual ~TaskHost() = default;
  virtual Mailbox& mailbox() = 0;
  // Throws InvalidInput if no channel leads to that input.
  virtual void gate(std::uint32_t input, bool gated) = 0;
  // Serves mails and timers, and sends on what they emit, until ready().
  virtual void serve_until(detail::UniqueFunction<bool()> ready) = 0;
  virtual void fail(FailureInfo failure) = 0;  // [any thread]
};

}  // namespace freshet::core
