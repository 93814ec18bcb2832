#include "task/helper_threads.h"

#include <pthread.h>

#include <atomic>
#include <cassert>
#include <system_error>

#include "task/fiber_thread.h"
#include "task/waiter.h"

namespace freshet::core {

// On the stack of the fiber that calls.
struct HelperThreads::Call {
  void (*function)(void*);
  void* argument;
  const Fiber* caller;
  std::atomic<bool> done{false};
  Waiter waiter;
};

namespace {
// Of this model no first use asks for memory: a signal handler reads it.
[[gnu::tls_model("initial-exec")]] thread_local const Fiber* served_fiber = nullptr;
}  // namespace

const Fiber* HelperThreads::served() noexcept { return served_fiber; }

HelperThreads::HelperThreads(std::string name, std::size_t most)
    : name_(std::move(name)), most_(most) {
  assert(most > 0);
}

HelperThreads::~HelperThreads() {
  {
    std::lock_guard lock(mutex_);
    assert(calls_.empty());
    ending_ = true;
  }
  called_.notify_all();
  for (auto& thread : threads_) thread.join();
}

void HelperThreads::run(void (*function)(void*), void* argument) {
  Call call{function, argument, FiberThread::current_fiber(), {}, {}};
  {
    std::lock_guard lock(mutex_);
    if (calls_.size() >= idle_ && threads_.size() < most_) {
      try {
        threads_.emplace_back([this] { serve(); });
      } catch (const std::system_error&) {
        if (threads_.empty()) throw;  // else the others get to it
      }
    }
    calls_.push_back(&call);
  }
  called_.notify_one();
  call.waiter.wait_despite_cancel([&] { return call.done.load(std::memory_order_acquire); });
  std::lock_guard until_the_wake_is_over(mutex_);
}

void HelperThreads::serve() {
  std::unique_lock lock(mutex_);
  pthread_setname_np(pthread_self(), (name_ + "-" + std::to_string(threads_.size())).c_str());
  for (;;) {
    ++idle_;
    called_.wait(lock, [this] { return ending_ || !calls_.empty(); });
    --idle_;
    if (calls_.empty()) return;
    Call* call = calls_.front();
    calls_.pop_front();
    lock.unlock();
    served_fiber = call->caller;
    call->function(call->argument);
    refuse_child_of_task("returned from what was called");
    served_fiber = nullptr;
    lock.lock();
    call->done.store(true, std::memory_order_release);
    call->waiter.wake();  // under the mutex, which the fiber takes before `call` goes
  }
}

}  // namespace freshet::core
