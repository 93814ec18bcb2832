// A control thread that is the test's own: what is posted runs when the test waits.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>

#include "control/control_thread.h"

namespace freshet::testing {
using namespace core;

class ControlQueue final : public ControlThread {
 public:
  const Clock& clock() const override { return SystemClock::instance(); }
  void post(std::string, FiberFunction function) override {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(function));
    changed_.notify_all();
  }
  bool is_current() const override { return false; }
  TimerId at(std::int64_t, std::string, FiberFunction) override { return 0; }
  void cancel(TimerId) override {}

  // Runs what is posted until `done` holds; false after a minute, which is a hang.
  template <class F>
  bool run_until(F done) {
    std::unique_lock lock(mutex_);
    while (!done()) {
      if (!changed_.wait_for(lock, std::chrono::minutes(1), [&] { return !posted_.empty(); }))
        return false;
      FiberFunction next = std::move(posted_.front());
      posted_.pop_front();
      lock.unlock();
      next();
      lock.lock();
    }
    return true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<FiberFunction> posted_;
};

}  // namespace freshet::testing
