#include "task/scheduler.h"

#include <pthread.h>

#include <barrier>
#include <cassert>
#include <thread>

#include "task/fiber_thread.h"
#include "task/forked_child.h"
#include "task/helper_threads.h"

namespace freshet::core {
namespace {

// What all threads of a pool share, for as long as one of them runs.
struct Shared {
  Shared(std::size_t threads, const SchedulerOptions& options)
      : helpers(options.name + "-h", options.most_helper_threads),
        nobody_wakes(static_cast<std::ptrdiff_t>(threads)) {}

  const RuntimeThreads counted;
  HelperThreads helpers;
  // A thread may still be inside its last wake of a fiber of another one, which has ended since.
  // So no thread frees its scheduler before all have run their last fiber.
  std::barrier<> nobody_wakes;
};

}  // namespace

class SchedulerPool::Thread {
 public:
  Thread(const Clock& clock, const std::shared_ptr<Shared>& shared, const std::string& name,
         bool runs_tasks)
      : fibers_(FiberThread::obtain()), thread_([this, &clock, shared, name, runs_tasks] {
          pthread_setname_np(pthread_self(), name.c_str());
          fibers_.enter(shared->helpers, clock);
          fibers_.serve(runs_tasks);
          shared->nobody_wakes.arrive_and_wait();
        }) {}
  ~Thread() {
    thread_.join();
    FiberThread::give_back(fibers_);
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  FiberThread& fibers() { return fibers_; }

 private:
  FiberThread& fibers_;
  std::thread thread_;
};

SchedulerPool::SchedulerPool(const Clock& clock, std::size_t threads, SchedulerOptions options)
    : options_(std::move(options)) {
  assert(threads > 0);
  auto shared = std::make_shared<Shared>(threads, options_);
  threads_.reserve(threads);
  try {
    for (std::size_t i = 0; i < threads; ++i) {
      threads_.push_back(std::make_unique<Thread>(
          clock, shared, options_.name + "-" + std::to_string(i), options_.runs_tasks));
    }
  } catch (...) {
    // The missing ones won't come to the barrier.
    for (std::size_t i = threads_.size(); i < threads; ++i) {
      static_cast<void>(shared->nobody_wakes.arrive());
    }
    for (auto& thread : threads_) thread->fibers().end();
    throw;
  }
}

SchedulerPool::~SchedulerPool() {
  assert(!FiberThread::current() && "a fiber can't wait for the end of all fibers");
  {
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return live_ == 0; });
  }
  for (auto& thread : threads_) thread->fibers().end();
}

FiberHandle SchedulerPool::spawn(std::size_t thread, std::string name, FiberFunction function,
                                 StackSize stack_size) {
  assert(thread < threads_.size());
  const std::size_t bytes = stack_size.bytes ? stack_size.bytes : options_.stack_size.bytes;
  auto fiber = std::make_shared<Fiber>(std::move(name), std::move(function), bytes);
  fiber->thread = &threads_[thread]->fibers();
  fiber->on_end = [this] { fiber_ended(); };
  FiberHandle handle(fiber);
  {
    std::lock_guard lock(mutex_);
    ++live_;
  }
  threads_[thread]->fibers().start(std::move(fiber));
  return handle;
}

void SchedulerPool::fiber_ended() {
  std::lock_guard lock(mutex_);
  if (--live_ == 0) all_ended_.notify_all();
}

std::size_t SchedulerPool::size() const noexcept { return threads_.size(); }

std::size_t SchedulerPool::live_fibers() const {
  std::lock_guard lock(mutex_);
  return live_;
}

}  // namespace freshet::core
