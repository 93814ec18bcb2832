// What is set for this process outside of main, and the plugins that it finds by that.
//
// Threads    Any.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "plugin_catalog/plugin_catalog.h"

namespace freshet::core {

class FRESHET_API ProcessConfiguration {
 public:
  // What a tool has made of files, environment and command line.
  void set(Configuration configuration);
  // What was set; else what the first call loads from files and environment. Then a program that
  // names no target runs its jobs locally: it can run nowhere else. Throws as load_configuration().
  Configuration get();
  // The plugins of the configuration's search path; scanned when first asked for.
  PluginCatalog& catalog();

 private:
  std::mutex mutex_;
  std::optional<Configuration> configuration_;
  std::unique_ptr<PluginCatalog> catalog_;
};

}  // namespace freshet::core
