#include "shared_objects/plugin_call.h"

#include <spdlog/spdlog.h>

#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

namespace freshet::core {

bool ends_in_time(std::chrono::nanoseconds patience, std::function<void()> call) {
  struct Outcome {
    std::mutex mutex;
    std::condition_variable ended_changed;
    bool ended = false;
    std::exception_ptr thrown;
  };
  const auto outcome = std::make_shared<Outcome>();
  std::thread([outcome, call = std::move(call)]() mutable {
    std::exception_ptr thrown;
    try {
      call();
    } catch (...) {
      thrown = std::current_exception();
    }
    call = nullptr;  // what it holds ends before the caller goes on
    const std::lock_guard lock(outcome->mutex);
    outcome->thrown = std::move(thrown);
    outcome->ended = true;
    outcome->ended_changed.notify_all();
  }).detach();

  std::unique_lock lock(outcome->mutex);
  if (!outcome->ended_changed.wait_for(lock, patience, [&] { return outcome->ended; }))
    return false;
  if (outcome->thrown) std::rethrow_exception(std::exchange(outcome->thrown, nullptr));
  return true;
}

struct NamedWhenLate::Watch {
  std::mutex mutex;
  std::condition_variable over_changed;
  bool over = false;
  std::thread thread;
};

NamedWhenLate::NamedWhenLate(std::chrono::nanoseconds patience, std::string warning)
    : watch_(std::make_unique<Watch>()) {
  watch_->thread = std::thread([watch = watch_.get(), patience, warning = std::move(warning)] {
    std::unique_lock lock(watch->mutex);
    if (!watch->over_changed.wait_for(lock, patience, [&] { return watch->over; }))
      spdlog::error("{}", warning);
  });
}

NamedWhenLate::~NamedWhenLate() {
  {
    const std::lock_guard lock(watch_->mutex);
    watch_->over = true;
  }
  watch_->over_changed.notify_all();
  watch_->thread.join();
}

}  // namespace freshet::core
