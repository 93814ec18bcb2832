// One run of a measured program in a child process, on the way that a user's goes.
#pragma once

#include <string>

namespace freshet::bench {

struct MeasuredRun {
  double seconds = 0;  // as the program says, else from start to exit
  std::string result;  // the rest of what it printed: hand and job must agree
};

// Runs a shell command pinned to the processors in `cpus` ("1", "0,1"). Throws std::runtime_error
// with what it printed if it fails.
MeasuredRun run_command(const std::string& command, const std::string& cpus, bool says_seconds);

}  // namespace freshet::bench
