// Ctrl-C, SIGTERM and SIGHUP: the first cancels the jobs, a second one (or one while no job runs)
// leaves at once.
#pragma once

#include <functional>

#include "clock/clock.h"

namespace freshet::tool {

// From then on these signals (process/caught_signals.h) are told to a thread of their own.
// `clock` outlives the process's threads.
void watch_interrupts(const core::Clock& clock);
bool interrupted();
// What the first one does instead of canceling the jobs of this process; null: that again. Called
// on a thread of its own.
void set_interrupt_handler(std::function<void()> handler);

}  // namespace freshet::tool
