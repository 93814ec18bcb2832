#include "backend/process_configuration.h"

#include <string>
#include <utility>
#include <vector>

#include "configuration/configuration.h"
#include "freshet/options.h"
#include "freshet/target.h"

namespace freshet::core {

void ProcessConfiguration::set(Configuration configuration) {
  const std::lock_guard lock(mutex_);
  configuration_ = std::move(configuration);
}

Configuration ProcessConfiguration::get() {
  const std::lock_guard lock(mutex_);
  if (!configuration_) {
    Configuration loaded = load_configuration({{}, {}, process_environment()});
    if (!loaded.contains(options::kExecutionTarget)) {
      loaded.set_raw(options::kExecutionTarget.key(), kLocalTarget,
                     Origin{Origin::Kind::kDefault, "a program that was not started by fr-run"});
    }
    configuration_ = std::move(loaded);
  }
  return *configuration_;
}

PluginCatalog& ProcessConfiguration::catalog() {
  const std::vector<std::string> folders = get().get(options::kPluginDirs);
  const std::lock_guard lock(mutex_);
  if (!catalog_) {
    catalog_ =
        std::make_unique<PluginCatalog>(SearchPath(SearchPath::Sources::of_this_process(folders)));
  }
  return *catalog_;
}

}  // namespace freshet::core
