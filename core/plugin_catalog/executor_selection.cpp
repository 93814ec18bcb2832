#include "plugin_catalog/executor_selection.h"

#include "freshet/nearest_name.h"
#include "freshet/options.h"

namespace freshet {
namespace {

struct Compatible {
  const ExecutorFactory* factory;
  const CatalogEntry* entry;
};

struct Answers {
  std::vector<Compatible> compatible;
  std::vector<std::string> warnings;
};

Answers ask_all(PluginCatalog& catalog, const Configuration& configuration) {
  Answers answers;
  for (const CatalogEntry* entry : catalog.usable(FRESHET_KIND_EXECUTOR)) {
    const std::string who = "executor plugin '" + entry->file.identity.name + "' (" +
                            entry->file.path.native() + ") is skipped: ";
    try {
      const auto& factory = catalog.load(*entry).factory<ExecutorFactory>();
      if (factory.is_compatible_with(configuration))
        answers.compatible.push_back({&factory, entry});
    } catch (const RefusedFile& refused) {
      answers.warnings.push_back(who + refused.reason());
    } catch (const std::exception& error) {
      answers.warnings.push_back(who + "its is_compatible_with() threw: " + error.what());
    } catch (...) {
      answers.warnings.push_back(who + "its is_compatible_with() threw what is no std::exception");
    }
  }
  return answers;
}

// "target 'local' (execution.target from --target on the command line)"
std::string asked_target(const Configuration& configuration) {
  const auto target = configuration.find(options::kExecutionTarget);
  if (!target) return "a configuration without a target (" + options::kExecutionTarget.key() + ")";
  return "target '" + *target + "' (" + options::kExecutionTarget.key() + " from " +
         configuration.origin(options::kExecutionTarget).text() + ")";
}

[[noreturn]] void refuse_none(const PluginCatalog& catalog, const Configuration& configuration,
                              const std::vector<std::string>& warnings) {
  std::vector<std::string> names;
  for (const CatalogEntry* entry : catalog.usable(FRESHET_KIND_EXECUTOR))
    names.push_back(entry->file.identity.name);
  const std::string target = configuration.find(options::kExecutionTarget).value_or("");
  const std::string nearest = nearest_name(target, names);
  std::string text = target.empty() ? "no target is set (" + options::kExecutionTarget.key() + "): "
                                    : "no executor for " + asked_target(configuration) + ": ";
  text += names.empty()       ? "install its plugin into one of the folders below"
          : target.empty()    ? "give --target=NAME, with the name of one of those below"
          : nearest.empty()   ? "choose one of those below, or install its plugin"
          : nearest != target ? "did you mean '" + nearest + "'?"
                              : "the plugin of that name did not say yes, see below";
  for (const std::string& warning : warnings) text += "\n  " + warning;
  throw NoExecutor(text + catalog.account_of(FRESHET_KIND_EXECUTOR));
}

[[noreturn]] void refuse_several(const Configuration& configuration,
                                 const std::vector<Compatible>& compatible) {
  std::string text = std::to_string(compatible.size()) + " executors say that they run " +
                     asked_target(configuration) + ", exactly one may: remove all but one";
  for (const Compatible& each : compatible)
    text += "\n  '" + each.entry->file.identity.name + "' in " + each.entry->file.path.native();
  throw SeveralExecutors(text);
}

}  // namespace

NoExecutor::~NoExecutor() = default;
SeveralExecutors::~SeveralExecutors() = default;

SelectedExecutor select_executor(PluginCatalog& catalog, const Configuration& configuration) {
  Answers answers = ask_all(catalog, configuration);
  if (answers.compatible.empty()) refuse_none(catalog, configuration, answers.warnings);
  if (answers.compatible.size() > 1) refuse_several(configuration, answers.compatible);
  return {*answers.compatible[0].factory, *answers.compatible[0].entry,
          std::move(answers.warnings)};
}

}  // namespace freshet
