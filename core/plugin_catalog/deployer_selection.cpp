#include "plugin_catalog/deployer_selection.h"

namespace freshet {

NoDeployer::~NoDeployer() = default;
SeveralDeployers::~SeveralDeployers() = default;

SelectedDeployer select_deployer(PluginCatalog& catalog, const Configuration& configuration) {
  return select_factory<ClusterDeployerFactory, NoDeployer, SeveralDeployers>(
      catalog, FRESHET_KIND_DEPLOYER, "deploy", configuration);
}

bool is_cluster_target(PluginCatalog& catalog, const Configuration& configuration) {
  return configuration.contains(options::kExecutionTarget) &&
         !ask_factories<ClusterDeployerFactory>(catalog, FRESHET_KIND_DEPLOYER, configuration)
              .compatible.empty();
}

std::unique_ptr<ClusterDeployer> make_deployer(const SelectedDeployer& selected,
                                               DeployerServices& services) {
  return make_from<ClusterDeployer>(selected, "ClusterDeployerFactory", "a deployer", services);
}

bool is_session_target(const Configuration& configuration) {
  static const std::string kSession = "-session";
  const std::string target = configuration.find(options::kExecutionTarget).value_or("");
  return target.size() > kSession.size() &&
         target.compare(target.size() - kSession.size(), kSession.size(), kSession) == 0;
}

}  // namespace freshet
