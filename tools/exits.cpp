#include "exits.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "task/fiber_thread.h"

namespace freshet::tool {
using namespace core;
namespace {

using Exit = void (*)(int);

// libc's, or a sanitizer's that stands before it. Looked up while the process begins: a child
// between vfork() and exec() may call nothing but the kernel.
Exit behind(const char* name) { return reinterpret_cast<Exit>(::dlsym(RTLD_NEXT, name)); }
const Exit exit_behind = behind("exit");
const Exit at_once_behind = behind("_exit");
const Exit quick_behind = behind("quick_exit");

std::atomic<ExitOfMain> of_main{nullptr};
pid_t process = 0;

[[noreturn]] void end_at_once(int code) {
  if (at_once_behind != nullptr) at_once_behind(code);
  for (;;) ::syscall(SYS_exit_group, code);
}

// Called by user code of a job.
void end_if_a_jobs(const char* function) {
  end_process_left_by_task(function);
  end_process_left_beside_tasks(function);
}

}  // namespace

void leave_at_once(int code) { end_at_once(code); }

void set_exit_of_main(ExitOfMain called) {
  process = ::getpid();
  of_main = called;
}

}  // namespace freshet::tool

extern "C" {

[[gnu::visibility("default")]] void exit(int code) noexcept {
  using namespace freshet::tool;
  end_if_a_jobs("exit");
  freshet::core::end_child_of_task(code);
  if (process == ::getpid()) {
    if (const ExitOfMain called = of_main.exchange(nullptr)) code = called(code);
  }
  if (exit_behind != nullptr) exit_behind(code);
  end_at_once(code);
}

[[gnu::visibility("default")]] void _exit(int code) {
  freshet::tool::end_if_a_jobs("_exit");
  freshet::tool::end_at_once(code);
}

[[gnu::visibility("default")]] void _Exit(int code) noexcept {
  freshet::tool::end_if_a_jobs("_Exit");
  freshet::tool::end_at_once(code);
}

[[gnu::visibility("default")]] void quick_exit(int code) noexcept {
  freshet::tool::end_if_a_jobs("quick_exit");
  freshet::core::end_child_of_task(code);
  if (freshet::tool::quick_behind != nullptr) freshet::tool::quick_behind(code);
  freshet::tool::end_at_once(code);
}

}  // extern "C"
