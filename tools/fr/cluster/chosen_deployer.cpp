#include "cluster/chosen_deployer.h"

#include <cstdio>

#include "backend/this_process.h"
#include "freshet/options.h"
#include "freshet/target.h"
#include "host/deployer_services.h"
#include "selection/deployer_selection.h"

namespace freshet::tool {
using namespace core;

ChosenDeployer::ChosenDeployer(const Configuration& configuration)
    : catalog_(SearchPath(
          SearchPath::Sources::of_this_process(configuration.get(options::kPluginDirs)))) {
  const SelectedDeployer selected = select_deployer(catalog_, configuration);
  for (const std::string& warning : selected.warnings)
    std::fprintf(stderr, "fr: warning: %s\n", warning.c_str());
  deployer_ = make_deployer(selected, deployer_services_of_this_process());
}

Configuration for_deployer(const std::string& name, Configuration configuration) {
  configuration.set(options::kExecutionTarget, Target{name}.session().text(),
                    Origin{Origin::Kind::kFile, "the record of the cluster"});
  return configuration;
}

}  // namespace freshet::tool
