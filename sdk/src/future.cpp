#include "freshet/future.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <ctime>

#include "freshet/await.h"

namespace freshet {

BrokenPromise::BrokenPromise()
    : Error("the code that should have delivered this result has ended without doing so") {}
BrokenPromise::~BrokenPromise() = default;

namespace detail {
namespace {

thread_local const Suspender* installed = nullptr;

std::int64_t monotonic_ns() noexcept {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Returns on a wake, at the deadline, or for no reason.
void sleep_while_zero(const std::atomic<std::uint32_t>& word, std::int64_t deadline_ns) {
  timespec until{static_cast<time_t>(deadline_ns / 1'000'000'000),
                 static_cast<long>(deadline_ns % 1'000'000'000)};
  syscall(SYS_futex, &word, FUTEX_WAIT_BITSET_PRIVATE, 0, deadline_ns == kNever ? nullptr : &until,
          nullptr, FUTEX_BITSET_MATCH_ANY);
}

class Lock {
 public:
  explicit Lock(pthread_mutex_t& mutex) : mutex_(mutex) { pthread_mutex_lock(&mutex_); }
  ~Lock() { pthread_mutex_unlock(&mutex_); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  pthread_mutex_t& mutex_;
};

}  // namespace

void set_suspender(const Suspender* suspender) noexcept { installed = suspender; }
const Suspender* suspender() noexcept { return installed; }

std::int64_t deadline_clock_ns() noexcept {
  return installed ? installed->now_ns() : monotonic_ns();
}

Event::Event() noexcept : suspender_(installed) {
  if (suspender_) suspender_->construct(place_);
}

bool Event::wait(std::int64_t deadline_ns) {
  if (suspender_) return suspender_->wait(place_, set_, deadline_ns);
  while (set_.load(std::memory_order_acquire) == 0) {
    if (deadline_ns != kNever && monotonic_ns() >= deadline_ns) return false;
    sleep_while_zero(set_, deadline_ns);
  }
  return true;
}

void Event::set() noexcept {
  set_.store(1, std::memory_order_release);
  if (suspender_) {
    suspender_->wake(place_);
  } else {
    syscall(SYS_futex, &set_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
}

void run_blocking(void (*function)(void*), void* argument) {
  if (installed) {
    installed->run_elsewhere(function, argument);
  } else {
    function(argument);
  }
}

Continuation::~Continuation() = default;

// One waiting thread or fiber, on its stack, in the list from before its wait until after it.
// publish() sets the events under the mutex, which a sleeper takes before it leaves: so an event
// outlives set().
struct FutureStateBase::Sleeper {
  Event event;
  Sleeper* previous = nullptr;
  Sleeper* next = nullptr;
};

FutureStateBase::FutureStateBase() noexcept { pthread_mutex_init(&mutex_, nullptr); }

FutureStateBase::~FutureStateBase() {
  while (Continuation* each = first_) {
    first_ = each->next_;
    delete each;
  }
  pthread_mutex_destroy(&mutex_);
}

bool FutureStateBase::wait_for(std::int64_t milliseconds) {
  constexpr std::int64_t kLongest = INT64_MAX / 4 / 1'000'000;
  if (ready()) return true;
  if (milliseconds > kLongest) return wait_until(kNever);
  return wait_until(deadline_clock_ns() + milliseconds * 1'000'000);
}

bool FutureStateBase::wait_until(std::int64_t deadline_ns) {
  if (ready()) return true;
  class Listed {
   public:
    explicit Listed(FutureStateBase& state) : state_(state) {
      Lock lock(state_.mutex_);
      if (state_.ready()) {
        sleeper_.event.set();
        return;
      }
      sleeper_.next = state_.sleepers_;
      if (sleeper_.next) sleeper_.next->previous = &sleeper_;
      state_.sleepers_ = &sleeper_;
      listed_ = true;
    }
    ~Listed() {
      if (!listed_) return;
      Lock lock(state_.mutex_);
      (sleeper_.previous ? sleeper_.previous->next : state_.sleepers_) = sleeper_.next;
      if (sleeper_.next) sleeper_.next->previous = sleeper_.previous;
    }
    bool wait(std::int64_t deadline_ns) { return sleeper_.event.wait(deadline_ns); }

   private:
    FutureStateBase& state_;
    Sleeper sleeper_;
    bool listed_ = false;
  };
  return Listed(*this).wait(deadline_ns) || ready();
}

void FutureStateBase::add(Continuation* continuation) {
  {
    Lock lock(mutex_);
    if (!ready()) {
      *end_ = continuation;
      end_ = &continuation->next_;
      return;
    }
  }
  continuation->run();
  delete continuation;
}

void FutureStateBase::publish() noexcept {
  retain();  // a continuation may drop the last handle
  Continuation* each;
  {
    Lock lock(mutex_);
    ready_.store(true, std::memory_order_release);
    for (Sleeper* sleeper = sleepers_; sleeper; sleeper = sleeper->next) sleeper->event.set();
    each = std::exchange(first_, nullptr);
    end_ = &first_;
  }
  while (each) {
    Continuation* next = each->next_;
    each->run();
    delete each;
    each = next;
  }
  release();
}

void FutureStateBase::fail_as_broken() noexcept {
  if (!claim()) return;
  set_error(std::make_exception_ptr(BrokenPromise()));
  publish();
}

}  // namespace detail
}  // namespace freshet
