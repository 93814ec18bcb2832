#include "configuration_flags.h"

#include <utility>

#include "configuration_warnings.h"
#include "freshet/options.h"

namespace freshet::tool {
using namespace core;

void ConfigurationFlags::add_to(CLI::App& command) {
  command.add_option("--config", file, "The configuration file")->type_name("FILE");
  command.add_option("-D", definitions, "Set an option; repeatable")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  command
      .add_option("--plugin-dir", plugin_dirs,
                  "A folder with plugins, searched first; repeatable (plugin.dirs)")
      ->type_name("DIR")
      ->allow_extra_args(false);
}

void ConfigurationFlags::add(const ConfigurationFlags& behind) {
  if (!behind.file.empty()) file = behind.file;
  definitions.insert(definitions.end(), behind.definitions.begin(), behind.definitions.end());
  plugin_dirs.insert(plugin_dirs.end(), behind.plugin_dirs.begin(), behind.plugin_dirs.end());
}

std::vector<FlagSetting> ConfigurationFlags::settings() const {
  std::vector<FlagSetting> settings;
  for (const std::string& definition : definitions)
    settings.push_back(parse_definition(definition));
  if (!plugin_dirs.empty()) {
    settings.push_back({options::kPluginDirs.key(),
                        ConfigValue<std::vector<std::string>>::format(plugin_dirs),
                        "--plugin-dir"});
  }
  return settings;
}

Configuration ConfigurationFlags::load() const {
  Configuration configuration = gathered_configuration({file, settings(), process_environment()});
  static bool is_first = true;
  if (warns && std::exchange(is_first, false)) ConfigurationWarnings(configuration).print();
  configuration.validate();
  return configuration;
}

}  // namespace freshet::tool
