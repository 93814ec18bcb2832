#include "task/shared_end.h"

#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "task/fiber_thread.h"

namespace freshet::core {
namespace {

thread_local int marks = 0;

// The destructors that run on threads of their own. Never freed, as one may outlast the process's
// last words.
class Endings {
 public:
  static Endings& instance() {
    static Endings& endings = *new Endings;
    static const AtExit waits(endings);
    return endings;
  }

  void run(detail::UniqueFunction<void()> end) noexcept {
    {
      const std::lock_guard lock(mutex_);
      ++running_;
    }
    try {
      std::thread([this, end = std::move(end)]() mutable {
        end();
        ended();
      }).detach();
    } catch (const std::system_error& error) {
      spdlog::warn("a thread is missing to end what is used no more, so it stays: {}",
                   error.what());
      ended();
    }
  }

 private:
  class AtExit {
   public:
    explicit AtExit(Endings& endings) : endings_(endings) {}
    ~AtExit() {
      constexpr std::chrono::seconds kPatience{1};
      std::unique_lock lock(endings_.mutex_);
      endings_.over_.wait_for(lock, kPatience, [this] { return endings_.running_ == 0; });
    }
    AtExit(const AtExit&) = delete;
    AtExit& operator=(const AtExit&) = delete;

   private:
    Endings& endings_;
  };

  void ended() {
    const std::lock_guard lock(mutex_);
    --running_;
    over_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable over_;
  int running_ = 0;
};

}  // namespace

RuntimeThreadMark::RuntimeThreadMark() { ++marks; }
RuntimeThreadMark::~RuntimeThreadMark() { --marks; }

bool on_runtime_thread() noexcept { return marks > 0 || FiberThread::current() != nullptr; }

void call_where_waiting_is_allowed(detail::UniqueFunction<void()> end) {
  if (on_runtime_thread()) {
    Endings::instance().run(std::move(end));
  } else {
    end();
  }
}

}  // namespace freshet::core
