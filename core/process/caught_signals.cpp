#include "process/caught_signals.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>

#include "freshet/error.h"

namespace freshet::core {
namespace {

constexpr int kCaught[] = {SIGTERM, SIGINT, SIGHUP};

std::atomic<int> come[std::size(kCaught)];
sem_t any;  // no descriptor, which user code may close
std::atomic<int> readable{-1};
pid_t owner = 0;

void on_signal(int number) {
  const int saved = errno;
  if (::getpid() != owner) {
    ::signal(number, SIG_DFL);
    ::raise(number);
  }
  for (std::size_t i = 0; i < std::size(kCaught); ++i)
    if (kCaught[i] == number) ++come[i];
  ::sem_post(&any);
  const std::uint64_t one = 1;
  if (const int descriptor = readable.load(); descriptor >= 0)
    static_cast<void>(::write(descriptor, &one, sizeof one) == sizeof one);
  errno = saved;
}

}  // namespace

bool is_ignored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void CaughtSignals::begin() {
  ::sem_init(&any, 0, 0);
  owner = ::getpid();
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  for (const int number : kCaught) {
    if (number != SIGTERM && is_ignored(number)) continue;
    ::sigaction(number, &action, nullptr);
  }
}

int CaughtSignals::wait() {
  while (::sem_wait(&any) != 0) {
  }
  for (std::size_t i = 0; i < std::size(kCaught); ++i) {
    int count = come[i].load();
    while (count > 0 && !come[i].compare_exchange_weak(count, count - 1)) {
    }
    if (count > 0) return kCaught[i];
  }
  return 0;
}

void CaughtSignals::wake() { ::sem_post(&any); }

int CaughtSignals::descriptor() {
  if (readable.load() >= 0) return readable.load();
  const int made = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (made < 0)
    throw InvalidInput(std::string("signals can't be watched: ") + std::strerror(errno) +
                       ": allow this process more descriptors (ulimit -n)");
  readable = made;
  for (const auto& each : come) {
    const std::uint64_t one = 1;
    if (each.load() > 0) static_cast<void>(::write(made, &one, sizeof one) == sizeof one);
  }
  return made;
}

}  // namespace freshet::core
