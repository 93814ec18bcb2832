#include "configuration/environment.h"

#include <unistd.h>

#include <algorithm>
#include <cctype>

#include "freshet/plugin/nearest_name.h"

namespace freshet::core {
namespace {

constexpr std::string_view kPrefix = "FRESHET_";

// Read by parts of Freshet that run before there is a configuration.
constexpr std::string_view kNotSettings[] = {"FRESHET_CONF_DIR", "FRESHET_PLUGIN_PATH"};
// Of applications, and of Freshet's own tests.
constexpr std::string_view kNotOurs[] = {"FRESHET_USER_", "FRESHET_TEST_"};

bool is_ours(std::string_view variable) {
  if (!variable.starts_with(kPrefix)) return false;
  for (const std::string_view prefix : kNotOurs)
    if (variable.starts_with(prefix)) return false;
  return true;
}

}  // namespace

Environment process_environment() {
  Environment variables;
  for (char** each = environ; each != nullptr && *each != nullptr; ++each) {
    const std::string_view text(*each);
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos || equals == 0) continue;
    variables.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return variables;
}

std::string environment_variable(std::string_view key) {
  std::string name(kPrefix);
  for (const char c : key)
    name +=
        c == '.' || c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

Configuration environment_settings(const Environment& environment) {
  Configuration settings;
  const auto read = [&](const std::string& key) {
    const std::string name = environment_variable(key);
    const auto variable = environment.find(name);
    if (variable != environment.end())
      settings.set_raw(key, variable->second, Origin::environment(name));
  };
  for (const OptionInfo& option : OptionCatalog::all()) {
    read(option.key);
    for (const std::string& key : option.deprecated_keys) read(key);
  }
  return settings;
}

std::vector<std::string> environment_warnings(const Environment& environment) {
  std::vector<std::string> known(std::begin(kNotSettings), std::end(kNotSettings));
  for (const OptionInfo& option : OptionCatalog::all()) {
    known.push_back(environment_variable(option.key));
    for (const std::string& key : option.deprecated_keys)
      known.push_back(environment_variable(key));
  }
  std::vector<std::string> lines;
  for (const auto& [name, value] : environment) {
    if (!is_ours(name)) continue;
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = nearest_name(name, known);
    lines.push_back("environment variable " + name + " sets no option: " +
                    (nearest.empty() ? "'fr config' lists all" : "did you mean " + nearest + "?"));
  }
  return lines;
}

}  // namespace freshet::core
