// Children: started, watched, ended with all that they forked, and what they print.
//
// process_spawner.h  children as roles see them; the simulation has its own
// child_processes.h  the real ProcessSpawner
// child_process.h    one child
// started_process.h  starts a program
// template_process.h, process_templates.h
//     forks from a process that has loaded everything
// control_group.h, memory_limit.h, orphans.h
//     what a child may use, and what it leaves
// own_account.h, crash_reader.h, main_end.h
//     how a process ended, in its own words and by its report
// rolled_log.h       what it has printed
// caught_signals.h   signals that ask this process to end
//
// Begin      process_spawner.h
// Threads    Roles call on the control thread; children are served by a thread of their own.
#pragma once

#include "process/process_spawner.h"
