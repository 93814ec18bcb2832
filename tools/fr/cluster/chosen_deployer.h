// The deployer plugin that a configuration's target names, loaded.
#pragma once

#include <memory>

#include "freshet/configuration.h"
#include "freshet/plugin/cluster_deployer.h"
#include "plugin_catalog/plugin_catalog.h"

namespace freshet::tool {
using namespace core;

class ChosenDeployer {
 public:
  // Prints warnings to standard error. Throws InvalidInput: none, or several say yes.
  explicit ChosenDeployer(const Configuration& configuration);

  ClusterDeployer* operator->() { return deployer_.get(); }

 private:
  PluginCatalog catalog_;
  std::unique_ptr<ClusterDeployer> deployer_;
};

// By whose plugin a cluster is changed that is there already.
Configuration for_deployer(const std::string& name, Configuration configuration);

}  // namespace freshet::tool
