// What a configuration says that nobody reads: unknown and deprecated keys, unknown variables.
#pragma once

#include <map>
#include <string>

#include "freshet/configuration.h"

namespace freshet::tool {

using OptionsOfPlugins = std::map<std::string, std::string>;  // key -> "executor 'name'"

// Loads every plugin that is found, which declares its options; once in a process. One that can't
// be loaded is reported, and left out.
const OptionsOfPlugins& load_options_of_plugins(const Configuration& configuration);

// Where the options are looked for before a key is called unknown.
enum class OptionsIn { kPluginsToo, kThisProcess };

// Printed to standard error when the options of everything that is loaded are known; by the
// destructor if the command is refused before that. A key that is unknown may be a plugin's:
// then plugins are loaded first. `configuration` outlives this.
class ConfigurationWarnings {
 public:
  explicit ConfigurationWarnings(const Configuration& configuration,
                                 OptionsIn plugins = OptionsIn::kPluginsToo);
  ~ConfigurationWarnings();
  ConfigurationWarnings(const ConfigurationWarnings&) = delete;
  ConfigurationWarnings& operator=(const ConfigurationWarnings&) = delete;

  void print();

 private:
  const Configuration& configuration_;
  const OptionsIn plugins_;
  bool printed_ = false;
};

}  // namespace freshet::tool
