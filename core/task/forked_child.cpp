#include "task/forked_child.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>

#include "freshet/error.h"

namespace freshet::core {
namespace {

std::atomic<int> running{0};
std::atomic<bool> forked{false};

void end_at_once(int code, void*) {
  std::fflush(nullptr);
  ::_exit(code);
}

void in_child() {
  if (running.load() == 0 || forked.exchange(true)) return;
  // What is registered last is called first.
  ::on_exit(end_at_once, nullptr);
}

}  // namespace

RuntimeThreads::RuntimeThreads() {
  static std::once_flag once;
  std::call_once(once, [] { ::pthread_atfork(nullptr, nullptr, in_child); });
  ++running;
}

RuntimeThreads::~RuntimeThreads() { --running; }

bool is_forked_child() noexcept { return forked.load(); }

void refuse_in_forked_child(const std::string& what) {
  if (const std::exception_ptr refusal = refusal_in_forked_child(what))
    std::rethrow_exception(refusal);
}

std::exception_ptr refusal_in_forked_child(const std::string& what) {
  if (!is_forked_child()) return nullptr;
  return std::make_exception_ptr(InvalidInput(
      what + " in this process (pid " + std::to_string(::getpid()) +
      "): it was forked from one in which jobs ran or a cluster was connected, and lacks the "
      "threads of that one: fork before the first job, or have the child start a program (exec)"));
}

}  // namespace freshet::core
