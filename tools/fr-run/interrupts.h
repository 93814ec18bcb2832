// Ctrl-C, SIGTERM and SIGHUP: the first cancels the jobs, a second one (or one while no job runs)
// leaves at once.
#pragma once

#include <functional>

namespace freshet::tool {

// From then on these signals (process/caught_signals.h) are told to a thread of their own.
void watch_interrupts();
bool interrupted();
// What the first one does instead of canceling the jobs of this process; null: that again. Called
// on a thread of its own.
void set_interrupt_handler(std::function<void()> handler);

}  // namespace freshet::tool
