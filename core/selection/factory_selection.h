// What executors and deployers have in common: every factory of a kind is asked whether it is
// compatible with the configuration, and exactly one must say yes.
//
// Threads    Any.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "freshet/configuration.h"
#include "freshet/options.h"
#include "freshet/plugin/nearest_name.h"
#include "freshet/target.h"
#include "plugin_catalog/plugin_catalog.h"

namespace freshet::core {

inline constexpr const char* kMendPlugin = ": remove the plugin or mend it";

// Valid as long as the catalog.
template <class Factory>
struct SelectedFactory {
  const Factory& factory;
  const CatalogEntry& entry;
  LoadedPlugin& plugin;
  std::vector<std::string> warnings;  // plugins that could not be asked, and why
};

template <class Factory>
struct FactoryAnswers {
  struct Compatible {
    const Factory* factory;
    LoadedPlugin* plugin;
  };
  std::vector<Compatible> compatible;
  std::vector<std::string> warnings;
};

// Loads every plugin of the kind.
template <class Factory>
FactoryAnswers<Factory> ask_factories(PluginCatalog& catalog, std::uint32_t kind,
                                      const Configuration& configuration) {
  FactoryAnswers<Factory> answers;
  for (const CatalogEntry* entry : catalog.usable(kind)) {
    const std::string who = kind_name(kind) + " plugin '" + entry->file.identity.name + "' (" +
                            printable(entry->file.path.native(), 4096) + ") is skipped: ";
    try {
      LoadedPlugin& plugin = catalog.load(*entry);
      const Factory& factory = plugin.factory<Factory>();
      if (plugin.ask<Factory, bool>("is_compatible_with()", [configuration](const Factory& asked) {
            return asked.is_compatible_with(configuration);
          }))
        answers.compatible.push_back({&factory, &plugin});
    } catch (const RefusedFile& refused) {
      answers.warnings.push_back(who + refused.reason());
    } catch (const std::exception& error) {
      answers.warnings.push_back(who + "its is_compatible_with() threw: " + error.what() +
                                 kMendPlugin);
    } catch (...) {
      answers.warnings.push_back(who + "its is_compatible_with() threw what is no std::exception" +
                                 kMendPlugin);
    }
  }
  return answers;
}

// "target 'local' (execution.target from --target on the command line)"
FRESHET_API std::string asked_target(const Configuration& configuration);
// Why there is none: the target, the nearest name, warnings, what was found and where it looked.
FRESHET_API std::string words_of_none(const PluginCatalog& catalog, std::uint32_t kind,
                                      const Configuration& configuration,
                                      const std::vector<std::string>& warnings);

// Throws None or Several.
template <class Factory, class None, class Several>
SelectedFactory<Factory> select_factory(PluginCatalog& catalog, std::uint32_t kind,
                                        const char* what_they_do,
                                        const Configuration& configuration) {
  FactoryAnswers<Factory> answers = ask_factories<Factory>(catalog, kind, configuration);
  if (answers.compatible.empty())
    throw None(words_of_none(catalog, kind, configuration, answers.warnings));
  if (answers.compatible.size() > 1) {
    std::string text = std::to_string(answers.compatible.size()) + " " + kind_name(kind) +
                       "s say that they " + what_they_do + " " + asked_target(configuration) +
                       ", exactly one may: remove all but one";
    for (const auto& each : answers.compatible)
      text += "\n  '" + each.plugin->entry().file.identity.name + "' in " +
              printable(each.plugin->entry().file.path.native(), 4096);
    throw Several(text);
  }
  const auto& one = answers.compatible[0];
  return {*one.factory, one.plugin->entry(), *one.plugin, std::move(answers.warnings)};
}

// What `create` makes of the selected factory, whose class is called `name`. An InvalidInput or
// other Error of its own passes; RefusedFile if it gives nothing, takes too long, or throws
// anything else.
template <class Product, class Factory, class Create>
std::unique_ptr<Product> make_by(const SelectedFactory<Factory>& selected, const char* name,
                                 const char* product, Create create) {
  const auto refuse = [&](const std::string& what) -> RefusedFile {
    return {selected.entry.file.path,
            "the create() of its " + std::string(name) + " " + what + kMendPlugin};
  };
  std::unique_ptr<Product> made;
  try {
    made = selected.plugin.template ask<Factory, std::unique_ptr<Product>>(
        std::string(name) + "::create()", std::move(create));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw refuse(std::string("threw: ") + error.what());
  } catch (...) {
    throw refuse("threw what is no std::exception");
  }
  if (made == nullptr)
    throw refuse(std::string("returned null, where ") + product + " was asked for");
  return made;
}

template <class Product, class Factory, class Services>
std::unique_ptr<Product> make_from(const SelectedFactory<Factory>& selected, const char* name,
                                   const char* product, Services& services) {
  return make_by<Product>(selected, name, product,
                          [&services](const Factory& factory) { return factory.create(services); });
}

}  // namespace freshet::core
