// The threads that run a worker's tasks.
//
// Begin here: SchedulerPool starts fibers. waiter.h is how they wait, mailbox.h what a task is told
// by others, fiber.h the handle, clock.h their time; fiber_thread.h is the inside.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/api.h"
#include "task/fiber.h"

namespace freshet::core {

struct SchedulerOptions {
  std::string name = "fr-task";  // of the threads, a number is added; 10 characters
  StackSize stack_size{std::size_t{1024} * 1024};  // task.stack-size: reserved, not taken
  std::size_t most_helper_threads = 64;            // for await()
  bool runs_tasks = true;                          // else the runtime's own fibers alone
};

// Each fiber stays on the thread it was started on. A thread with nothing to run sleeps on a futex.
class FRESHET_API SchedulerPool {
 public:
  // `clock` is the system's, by which the threads are woken too (FiberThread::enter); it outlives
  // the pool.
  SchedulerPool(const Clock& clock, std::size_t threads, SchedulerOptions options = {});
  // Waits for all fibers to end, those that they start meanwhile too, then ends the threads.
  // [a thread without fibers]
  ~SchedulerPool();
  SchedulerPool(const SchedulerPool&) = delete;
  SchedulerPool& operator=(const SchedulerPool&) = delete;

  // Starts a fiber on the thread of that number. Returns before it runs. If it can't get a stack,
  // the handle's finished() says so. [any thread]
  FiberHandle spawn(std::size_t thread, std::string name, FiberFunction function,
                    StackSize stack_size = {});

  std::size_t size() const noexcept;
  // Started and not ended, a moment ago. [any thread]
  std::size_t live_fibers() const;

 private:
  class Thread;
  void fiber_ended();

  const SchedulerOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  std::size_t live_ = 0;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace freshet::core
