// A process that dies by a signal says where: the signal, what the runtime was at work on, and the
// stacks of all threads. Its handler writes raw addresses only (crash_writer.h). Names are found by
// another process (symbolizer.h): the parent, if it has given a file for the report, else a child
// that the handler starts, which prints to standard error.
//
// A handler of the application's own, or of a sanitizer, that stood before ours goes first, and is
// then the only one, except for the overflow of a fiber's stack. The process ends by the signal as
// it would have.
//
// Threads    Any, unless stated otherwise.
#pragma once

#include <cstddef>

#include "crash/crash_text.h"
#include "freshet/api.h"
#include "posix/descriptor.h"

namespace freshet::core {

// What a fiber is at work on. Asked in a signal handler of its own thread.
class CrashContext {
 public:
  virtual void write_to(CrashText& to) const noexcept = 0;

 protected:
  ~CrashContext() = default;
};

// Where a fiber's stack ends.
struct StackGuard {
  const char* low = nullptr;
  const char* high = nullptr;  // the stack's lowest byte
};

// Who the calling thread runs just now.
struct RunningFiber {
  StackGuard guard;
  const char* name = nullptr;
  std::size_t stack_size = 0;
  const CrashContext* context = nullptr;  // may be null
};

// From now on this process says where it dies. Gives the calling thread an alternate stack for
// signals, so that an overflow of its own stack is heard, too. May repeat.
FRESHET_API void report_crashes();
// `running` is called in the handler, on the thread that died; false: it runs no fiber.
void report_crashes_of_fibers(bool (*running)(RunningFiber&));

// The report goes into that file, which crash_report_in() reads: whoever started this process has
// it, too. What is in it is dropped. Nothing changes if it is no file in memory. A process that is
// forked from this one without exec reports to standard error.
FRESHET_API void leave_crash_report_in(const Descriptor& file);

// A thread that aborts while `asked` says yes stands still instead: another one has taken away what
// it works with, and ends the process soon. Asked in a signal handler, on the thread that aborts.
FRESHET_API void let_aborts_wait_while(bool (*asked)());

// Where the handler starts a child, that one prints the stacks of all threads, not only of the one
// that died.
FRESHET_API void report_all_threads();

// An alternate signal stack for the calling thread, on which the handler can run when the stack is
// full. For the life of the object.
class SignalStack {
 public:
  SignalStack();
  ~SignalStack();
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  void* memory_ = nullptr;
};

}  // namespace freshet::core
