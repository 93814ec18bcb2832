// Ctrl-C, SIGTERM and SIGHUP: the first cancels the jobs, a second one (or one while no job runs)
// leaves at once.
#pragma once

namespace freshet::tool {

// Before any other thread is started: from then on the two signals go to a thread of their own.
void watch_interrupts();
bool interrupted();

}  // namespace freshet::tool
