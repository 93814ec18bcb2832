// What a dying process writes about itself. Everything here may be called in a signal handler.
//
// The lines of a report, their fields parted by tabs:
//
//     signal     number, code, address (hexadecimal)      first
//     overflow   name of a fiber, KiB of its stack         if that is the cause
//     fiber      name
//     operator   name                                      of each that runs, several in a kernel
//     subtask    number
//     records    first, count (0: not known)
//     thread     id, name                                  the one that died is first
//     frame      address, offset in the module, module     hexadecimal; of the thread before
#pragma once

#include <signal.h>

#include "crash/crash_text.h"

namespace freshet::core {

void write_signal(CrashText& to, int number, const siginfo_t& facts);

// Of the calling thread, from where `context`, a ucontext_t, says that the signal came.
void write_thread(CrashText& to, const void* context);

// Of all others that do not block the signal by which they are asked. Each is waited for, for a
// bounded time.
void write_other_threads(CrashText& to);

// For what is the main program: the dynamic linker has no name for it.
void note_path_of_program();

}  // namespace freshet::core
