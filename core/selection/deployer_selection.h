// Which deployer brings up or finds the cluster of a target: every deployer plugin is asked whether
// it is compatible with the configuration, and exactly one must say yes.
//
// freshet/target.h says what the targets of a deployer are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "freshet/error.h"
#include "freshet/plugin/cluster_deployer.h"
#include "selection/factory_selection.h"

namespace freshet::core {

using SelectedDeployer = SelectedFactory<ClusterDeployerFactory>;

// Nobody said yes. Tells what was found, what was refused, where it looked, and the nearest name.
class FRESHET_API NoDeployer final : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~NoDeployer() override;
};

// More than one said yes. Tells their names and files.
class FRESHET_API SeveralDeployers final : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~SeveralDeployers() override;
};

// Loads every deployer plugin. Throws NoDeployer or SeveralDeployers. [any thread]
FRESHET_API SelectedDeployer select_deployer(PluginCatalog& catalog,
                                             const Configuration& configuration);
// Whether any deployer says yes: then it is a cluster's target, and no executor's. To `skipped` are
// added the plugins that could not be asked, and why. [any thread]
FRESHET_API bool is_cluster_target(PluginCatalog& catalog, const Configuration& configuration,
                                   std::vector<std::string>& skipped);
// Asks the selected factory for its deployer; fails as make_executor() does. It may be let go of
// anywhere, also in the continuation of one of its calls (task/shared_end.h). [any thread]
FRESHET_API std::unique_ptr<ClusterDeployer> make_deployer(const SelectedDeployer& selected,
                                                           DeployerServices& services);

}  // namespace freshet::core
