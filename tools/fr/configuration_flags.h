// The flags by which a command of fr gets its configuration, as fr-run has them.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "configuration/configuration.h"

namespace freshet::tool {
using namespace core;

struct ConfigurationFlags {
  std::string file;
  std::vector<std::string> definitions, plugin_dirs;
  bool warns = true;  // of what nobody reads; false in a process whose parent has done so

  void add_to(CLI::App& command);
  // What was given to `behind` after what was given to this.
  void add(const ConfigurationFlags& behind);
  // Throws InvalidInput for a definition that is none.
  std::vector<FlagSetting> settings() const;
  // With file and environment. The first call in a process prints warnings, also of a
  // configuration that is refused. Throws as load_configuration() does.
  Configuration load() const;
};

}  // namespace freshet::tool
