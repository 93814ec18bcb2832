#include "configuration_warnings.h"

#include <cstdio>
#include <set>
#include <utility>

#include "configuration/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "plugin_catalog/plugin_catalog.h"

namespace freshet::tool {
using namespace core;
namespace {

OptionsOfPlugins newly_declared(const Configuration& configuration) {
  OptionsOfPlugins options;
  PluginCatalog catalog(
      SearchPath(SearchPath::Sources::of_this_process(configuration.get(options::kPluginDirs))));
  std::set<std::string> known;
  for (const OptionInfo& option : OptionCatalog::all()) known.insert(option.key);
  for (const CatalogEntry& entry : catalog.entries()) {
    if (entry.state != CatalogEntry::State::kUsable) continue;
    const auto& identity = entry.file.identity;
    try {
      catalog.load(entry);
    } catch (const Error& error) {
      std::fprintf(stderr, "fr: warning: the options of %s '%s' can't be read: %s\n",
                   kind_name(identity.kind).c_str(), identity.name.c_str(), error.what());
    }
    for (const OptionInfo& option : OptionCatalog::all()) {
      if (known.insert(option.key).second)
        options[option.key] = kind_name(identity.kind) + " '" + identity.name + "'";
    }
  }
  return options;
}

}  // namespace

const OptionsOfPlugins& load_options_of_plugins(const Configuration& configuration) {
  static const OptionsOfPlugins options = newly_declared(configuration);
  return options;
}

ConfigurationWarnings::ConfigurationWarnings(const Configuration& configuration, OptionsIn plugins)
    : configuration_(configuration), plugins_(plugins) {}

ConfigurationWarnings::~ConfigurationWarnings() { print(); }

void ConfigurationWarnings::print() {
  if (std::exchange(printed_, true)) return;
  const Environment environment = process_environment();
  std::vector<std::string> lines = configuration_warnings(configuration_, environment);
  if (lines.empty()) return;
  if (plugins_ == OptionsIn::kPluginsToo) {
    try {
      load_options_of_plugins(configuration_);
      lines = configuration_warnings(configuration_, environment);
    } catch (const std::exception&) {  // bad folders: the command is refused for them, after this
    }
  }
  for (const std::string& line : lines) std::fprintf(stderr, "fr: warning: %s\n", line.c_str());
}

}  // namespace freshet::tool
