#include "interrupts.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "client/running_jobs.h"
#include "exit_code.h"

namespace freshet::tool {

namespace {
std::atomic<bool> seen{false};
}

bool interrupted() { return seen.load(); }

void watch_interrupts() {
  static sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([] {
    for (;;) {
      int number = 0;
      if (sigwait(&signals, &number) != 0) return;
      const auto running = RunningJobs::instance().running();
      if (seen.exchange(true) || running.empty()) _exit(kCanceled);
      for (const auto& job : running) {
        std::fprintf(stderr, "fr-run: canceling job '%s' (once more to leave at once)\n",
                     job->name().c_str());
        job->cancel();
      }
    }
  }).detach();
}

}  // namespace freshet::tool
