#include "configuration/configuration.h"

#include <sys/stat.h>

#include <filesystem>
#include <iterator>

#include "freshet/options.h"

namespace freshet::core {
namespace {

constexpr const char* kFileName = "/freshet.yaml";

std::string variable(const Environment& environment, const char* name) {
  const auto found = environment.find(name);
  return found == environment.end() ? std::string() : found->second;
}

bool exists(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0;
}

// Empty: there is none.
std::string find_file(const ConfigurationSources& sources) {
  if (!sources.file.empty()) return sources.file;
  const auto places = configuration_file_places(sources.environment);
  const std::string named = variable(sources.environment, "FRESHET_CONF_DIR");
  if (!named.empty() && !exists(places.front()))
    throw BadConfigurationFile("FRESHET_CONF_DIR is '" + named + "', but there is no '" +
                               places.front() + "': put one there or unset the variable");
  for (const std::string& place : places)
    if (exists(place)) return place;
  return {};
}

// They are handed to processes that may work in another folder.
void make_plugin_folders_absolute(Configuration& configuration) {
  const auto entry = configuration.lookup(options::kPluginDirs.info());
  if (!entry) return;
  std::vector<std::string> folders;
  try {
    folders = configuration.get(options::kPluginDirs);
  } catch (const BadValue&) {
    return;  // validate() tells
  }
  bool changed = false;
  for (std::string& folder : folders) {
    if (folder.empty() || folder.front() == '/') continue;
    std::error_code unknown;
    const std::filesystem::path whole = std::filesystem::absolute(folder, unknown);
    if (unknown) continue;
    folder = whole.lexically_normal().native();
    changed = true;
  }
  if (!changed) return;
  configuration.set_raw(options::kPluginDirs.key(),
                        ConfigValue<std::vector<std::string>>::format(folders), entry->origin);
}

}  // namespace

FlagSetting parse_definition(const std::string& definition) {
  const std::size_t equals = definition.find('=');
  if (equals == std::string::npos || equals == 0)
    throw InvalidInput("-D '" + definition + "' is no setting: write -D key=value");
  return {definition.substr(0, equals), definition.substr(equals + 1)};
}

std::vector<std::string> configuration_file_places(const Environment& environment) {
  if (const std::string named = variable(environment, "FRESHET_CONF_DIR"); !named.empty())
    return {named + kFileName};
  std::vector<std::string> places;
  std::string user = variable(environment, "XDG_CONFIG_HOME");
  // A relative one is to be ignored, says the XDG base directory specification.
  if (user.empty() || user.front() != '/') {
    user = variable(environment, "HOME");
    if (!user.empty()) user += "/.config";
  }
  if (!user.empty()) places.push_back(user + "/freshet" + kFileName);
  places.push_back(std::string(FRESHET_SYSCONFDIR) + "/freshet" + kFileName);
  return places;
}

Configuration gathered_configuration(const ConfigurationSources& sources) {
  Configuration configuration;
  if (const std::string file = find_file(sources); !file.empty())
    configuration = read_yaml_file(file);
  configuration.merge(environment_settings(sources.environment));
  for (const FlagSetting& flag : sources.flags)
    configuration.set_raw(flag.key, flag.text, Origin::command_line(flag.flag));
  make_plugin_folders_absolute(configuration);
  return configuration;
}

Configuration load_configuration(const ConfigurationSources& sources) {
  Configuration configuration = gathered_configuration(sources);
  configuration.validate();
  return configuration;
}

void adopt_new_options(Configuration& configuration, const Environment& environment) {
  configuration.merge(environment_settings(environment));
  configuration.validate();
}

std::vector<std::string> configuration_warnings(const Configuration& configuration,
                                                const Environment& environment) {
  std::vector<std::string> lines = configuration.warnings();
  for (std::string& line : environment_warnings(environment)) lines.push_back(std::move(line));
  return lines;
}

}  // namespace freshet::core
