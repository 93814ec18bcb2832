// An application whose main runs on a cluster: a new one of its own, or a session that runs
// already. Nothing of the application is loaded here.
#pragma once

#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/configuration.h"
#include "plugin_catalog/plugin_catalog.h"

namespace freshet::tool {
using namespace core;

struct ClusterRun {
  std::string application;  // a path, which is uploaded, or a URL
  std::vector<std::string> shipped;
  std::vector<std::string> arguments;
  bool wait_for_cluster = false;
  bool verbose = false;
};

// Throws InvalidInput: files can't be shipped with a pipeline.
[[noreturn]] void refuse_shipped(const std::string& pipeline);

// Returns the exit code. Throws InvalidInput or ClusterUnreachable.
int run_on_cluster(const Clock& clock, const ClusterRun& run, const Configuration& configuration,
                   PluginCatalog& catalog);

}  // namespace freshet::tool
