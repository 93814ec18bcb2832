#include "plugin_catalog/deployer_selection.h"

namespace freshet {

NoDeployer::~NoDeployer() = default;
SeveralDeployers::~SeveralDeployers() = default;

SelectedDeployer select_deployer(PluginCatalog& catalog, const Configuration& configuration) {
  return select_factory<ClusterDeployerFactory, NoDeployer, SeveralDeployers>(
      catalog, FRESHET_KIND_DEPLOYER, "deploy", configuration);
}

bool is_cluster_target(PluginCatalog& catalog, const Configuration& configuration,
                       std::vector<std::string>& skipped) {
  if (!configuration.contains(options::kExecutionTarget)) return false;
  const auto answers =
      ask_factories<ClusterDeployerFactory>(catalog, FRESHET_KIND_DEPLOYER, configuration);
  skipped.insert(skipped.end(), answers.warnings.begin(), answers.warnings.end());
  return !answers.compatible.empty();
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
