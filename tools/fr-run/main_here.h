// A main in this process: its end, and what becomes of its jobs then, is what a cluster would make
// of it (the table of "An application" in docs/maintainers/clusters.md).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/cluster_client.h"
#include "freshet/configuration.h"
#include "modules/application.h"
#include "progress.h"

namespace freshet::tool {
using namespace core;

struct MainHere {
  std::string application;  // as it was given
  std::vector<std::string> arguments;
  bool verbose = false;
  ClusterClient* cluster = nullptr;  // where its jobs go, if not into this process
};

// Runs it, waits for its jobs, and says what went wrong. Returns the exit code; if main calls
// exit(), the process ends with that code. Once in a process.
int run_main_here(const Clock& clock, const LoadedApplication& loaded, const MainHere& main,
                  const Configuration& configuration);

// What this process ends with, having written out its output: `code`, unless that failed.
int code_with_output(int code);

}  // namespace freshet::tool
