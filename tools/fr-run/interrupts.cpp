#include "interrupts.h"

#include <atomic>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backend/running_jobs.h"
#include "exit_code/exit_code.h"
#include "exits.h"
#include "process/caught_signals.h"

namespace freshet::tool {
using namespace core;

namespace {
std::atomic<bool> seen{false};
std::mutex handler_mutex;
std::function<void()> handler;  // of handler_mutex
constexpr std::int64_t kPatienceNs = 900'000'000;

using Jobs = std::vector<std::shared_ptr<LocalJob>>;

// Code that neither returns nor awaits can't be stopped inside its process: that of a canceled job
// ends with it, but not before the commits, of which a part would be visible.
void leave_if_stuck(const Clock& clock, const Jobs& canceled, const Jobs& committing) {
  const std::int64_t deadline = clock.now_ns() + kPatienceNs;
  bool stuck = false;
  for (const auto& job : canceled) {
    const std::int64_t left = (deadline - clock.now_ns()) / 1'000'000;
    if (job->result().wait_for(left > 0 ? left : 0)) continue;
    std::fprintf(stderr, "fr-run: job '%s' does not end; left as it is\n", job->name().c_str());
    stuck = true;
  }
  if (!stuck) return;
  for (const auto& job : committing) job->result().wait();
  leave_at_once(exit_code::kCanceled);
}
}  // namespace

bool interrupted() { return seen.load(); }

void set_interrupt_handler(std::function<void()> next) {
  const std::lock_guard lock(handler_mutex);
  handler = std::move(next);
}

void watch_interrupts(const Clock& clock) {
  CaughtSignals::begin();
  std::thread([&clock] {
    for (;;) {
      static_cast<void>(CaughtSignals::wait());
      {
        const std::lock_guard lock(handler_mutex);
        if (handler && !seen.exchange(true)) {
          handler();
          continue;
        }
      }
      const auto running = RunningJobs::instance().running();
      if (seen.exchange(true) || running.empty()) leave_at_once(exit_code::kCanceled);
      Jobs canceled, committing;
      for (const auto& job : running) {
        const bool stops = job->cancel();
        (stops ? canceled : committing).push_back(job);
        const std::string what =
            stops ? "canceling job '" + job->name() + "'"
                  : "job '" + job->name() + "' is committing and is not canceled any more";
        std::fprintf(stderr, "fr-run: %s (once more to leave at once)\n", what.c_str());
      }
      // Not here, where the next signal is waited for.
      std::thread(leave_if_stuck, std::cref(clock), std::move(canceled), std::move(committing))
          .detach();
    }
  }).detach();
}

}  // namespace freshet::tool
