#include "control/control_thread.h"

#include <spdlog/spdlog.h>

#include <atomic>
#include <cassert>
#include <cstdlib>
#include <map>
#include <mutex>
#include <vector>

#include "task/fiber_thread.h"
#include "task/scheduler.h"
#include "task/waiter.h"

namespace freshet::core {

namespace {

SchedulerOptions options_of(const std::string& name) {
  SchedulerOptions options;
  options.name = name;
  options.runs_tasks = false;
  return options;
}

}  // namespace

ControlThread::~ControlThread() = default;

class OwnControlThread::State {
 public:
  State(const Clock& clock, const std::string& name)
      : clock_(clock), pool_(clock, 1, options_of(name)) {
    Promise<FiberThread*> started;
    auto thread = started.future();
    start("timers", [this, &started] {
      started.set_value(FiberThread::current());
      serve_timers();
    });
    thread_ = thread.get();
  }

  ~State() {
    std::map<std::uint64_t, FiberHandle> fibers;
    {
      std::lock_guard lock(mutex_);
      ending_ = true;
      fibers.swap(fibers_);
    }
    for (const auto& [number, fiber] : fibers) fiber.cancel();
  }

  const Clock& clock() const { return clock_; }
  void post(std::string name, FiberFunction function) {
    start(std::move(name), std::move(function));
  }

  bool is_current() const { return FiberThread::current() == thread_; }

  TimerId at(std::int64_t deadline_ns, std::string name, FiberFunction function) {
    assert(is_current());
    const TimerId id = ++last_timer_;
    timers_.emplace(std::pair(deadline_ns, id), Timer{std::move(name), std::move(function)});
    deadlines_.emplace(id, deadline_ns);
    if (timers_.begin()->first.second == id) {
      earlier_ = true;
      waiter_.wake();
    }
    return id;
  }

  void cancel(TimerId id) {
    assert(is_current());
    auto deadline = deadlines_.find(id);
    if (deadline == deadlines_.end()) return;
    timers_.erase({deadline->second, id});
    deadlines_.erase(deadline);
  }

 private:
  struct Timer {
    std::string name;
    FiberFunction function;
  };

  // Under the lock until the handle is noted, so that none escapes the destructor's cancel.
  void start(std::string name, FiberFunction function) {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    const std::uint64_t number = ++last_fiber_;
    auto run = [this, number, name, function = std::move(function)]() mutable {
      try {
        function();
      } catch (const Canceled&) {  // the thread ends
      } catch (const std::exception& error) {
        spdlog::critical("'{}' of the control thread has failed, which nothing expects: {}", name,
                         error.what());
        std::abort();
      }
      function.reset();
      std::lock_guard again(mutex_);
      fibers_.erase(number);
    };
    auto handle = pool_.spawn(0, name, std::move(run));
    fibers_.emplace(number, std::move(handle));
  }

  void serve_timers() {
    for (;;) {
      const std::int64_t next = timers_.empty() ? detail::kNever : timers_.begin()->first.first;
      earlier_ = false;
      waiter_.wait_until(next, [this] { return earlier_; });
      while (!timers_.empty() && timers_.begin()->first.first <= clock_.now_ns()) {
        auto due = timers_.extract(timers_.begin());
        deadlines_.erase(due.key().second);
        start(std::move(due.mapped().name), std::move(due.mapped().function));
      }
    }
  }

  const Clock& clock_;
  std::mutex mutex_;
  bool ending_ = false;
  std::uint64_t last_fiber_ = 0;
  std::map<std::uint64_t, FiberHandle> fibers_;
  // From here on the control thread's.
  TimerId last_timer_ = 0;
  std::map<std::pair<std::int64_t, TimerId>, Timer> timers_;
  std::map<TimerId, std::int64_t> deadlines_;
  bool earlier_ = false;
  Waiter waiter_;
  FiberThread* thread_ = nullptr;
  SchedulerPool pool_;  // ends first
};

OwnControlThread::OwnControlThread(const Clock& clock, const std::string& name)
    : state_(std::make_unique<State>(clock, name)) {}
OwnControlThread::~OwnControlThread() = default;
const Clock& OwnControlThread::clock() const { return state_->clock(); }
void OwnControlThread::post(std::string name, FiberFunction function) {
  state_->post(std::move(name), std::move(function));
}
bool OwnControlThread::is_current() const { return state_->is_current(); }
TimerId OwnControlThread::at(std::int64_t deadline_ns, std::string name, FiberFunction function) {
  return state_->at(deadline_ns, std::move(name), std::move(function));
}
void OwnControlThread::cancel(TimerId timer) { state_->cancel(timer); }

}  // namespace freshet::core
