// A fiber as its owner sees it: name, end, cancel.
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>

#include "freshet/api.h"
#include "freshet/detail/unique_function.h"
#include "freshet/future.h"
#include "task/stack.h"

namespace freshet::core {

class Parked;
class FiberThread;

// What a fiber runs. An exception that leaves it becomes the error of FiberHandle::finished().
using FiberFunction = detail::UniqueFunction<void()>;

// Bytes; 0: as set for the pool.
struct StackSize {
  std::size_t bytes = 0;
};

// Inner record of one fiber; everything but `canceled` and `ended` belongs to its thread.
class Fiber {
 public:
  Fiber(std::string its_name, FiberFunction its_function, std::size_t its_stack_size)
      : name(std::move(its_name)), function(std::move(its_function)), stack_size(its_stack_size) {}

  const std::string name;
  FiberFunction function;
  const std::size_t stack_size;
  StackGuard guard;
  std::atomic<const CrashContext*> crash_context{nullptr};  // read by its thread's signal handler
  FiberThread* thread = nullptr;
  Parked* parked = nullptr;  // the cancelable wait that it is in
  std::atomic<bool> canceled{false};
  bool awaits_despite_cancel = false;
  std::atomic<bool> ended{false};
  Promise<void> finished;
  detail::UniqueFunction<void()> on_end;  // the last thing that its thread does for it
};

// A copy is another handle of the same fiber. May outlive the fiber and its pool. [any thread]
class FRESHET_API FiberHandle {
 public:
  FiberHandle() = default;
  explicit FiberHandle(std::shared_ptr<Fiber> fiber);

  const std::string& name() const;
  // Ready when the function has returned and is destroyed; an exception that left it is the error,
  // Canceled among them. Continuations run on the fiber's thread.
  Future<void> finished() const;
  // Every wait that the fiber is in or comes to throws Canceled, except those that say otherwise.
  // May repeat.
  void cancel() const;

 private:
  std::shared_ptr<Fiber> fiber_;
  Future<void> finished_;
};

// Of the calling fiber.
FRESHET_API bool canceled() noexcept;
// From here on await() of the calling fiber returns as if it were not canceled: for what closes
// files and connections.
FRESHET_API void await_despite_cancel() noexcept;
// For its life, what the calling fiber is at work on, if the process dies meanwhile. `context`
// outlives it.
class FRESHET_API CrashContextOfFiber {
 public:
  explicit CrashContextOfFiber(const CrashContext& context) noexcept;
  ~CrashContextOfFiber();
  CrashContextOfFiber(const CrashContextOfFiber&) = delete;
  CrashContextOfFiber& operator=(const CrashContextOfFiber&) = delete;
};
// Of the calling fiber; "" outside of fibers.
FRESHET_API const char* fiber_name() noexcept;
// Lets the other ready fibers of this thread run first; does nothing outside of fibers.
FRESHET_API void yield_fiber();

}  // namespace freshet::core
