#include "plugin_catalog/executor_selection.h"

#include "freshet/nearest_name.h"
#include "freshet/options.h"

namespace freshet {
namespace {

constexpr const char* kMend = ": remove the plugin or mend it";

struct Compatible {
  const ExecutorFactory* factory;
  LoadedPlugin* plugin;
};

struct Answers {
  std::vector<Compatible> compatible;
  std::vector<std::string> warnings;
};

Answers ask_all(PluginCatalog& catalog, const Configuration& configuration) {
  Answers answers;
  for (const CatalogEntry* entry : catalog.usable(FRESHET_KIND_EXECUTOR)) {
    const std::string who = "executor plugin '" + entry->file.identity.name + "' (" +
                            printable(entry->file.path.native(), 4096) + ") is skipped: ";
    try {
      LoadedPlugin& plugin = catalog.load(*entry);
      const ExecutorFactory& factory = plugin.factory<ExecutorFactory>();
      if (plugin.ask<ExecutorFactory, bool>("is_compatible_with()",
                                            [configuration](const ExecutorFactory& asked) {
                                              return asked.is_compatible_with(configuration);
                                            }))
        answers.compatible.push_back({&factory, &plugin});
    } catch (const RefusedFile& refused) {
      answers.warnings.push_back(who + refused.reason());
    } catch (const std::exception& error) {
      answers.warnings.push_back(who + "its is_compatible_with() threw: " + error.what() + kMend);
    } catch (...) {
      answers.warnings.push_back(who + "its is_compatible_with() threw what is no std::exception" +
                                 kMend);
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
    text += "\n  '" + each.plugin->entry().file.identity.name + "' in " +
            printable(each.plugin->entry().file.path.native(), 4096);
  throw SeveralExecutors(text);
}

}  // namespace

NoExecutor::~NoExecutor() = default;
SeveralExecutors::~SeveralExecutors() = default;

SelectedExecutor select_executor(PluginCatalog& catalog, const Configuration& configuration) {
  Answers answers = ask_all(catalog, configuration);
  if (answers.compatible.empty()) refuse_none(catalog, configuration, answers.warnings);
  if (answers.compatible.size() > 1) refuse_several(configuration, answers.compatible);
  const Compatible& one = answers.compatible[0];
  return {*one.factory, one.plugin->entry(), *one.plugin, std::move(answers.warnings)};
}

std::unique_ptr<Executor> make_executor(const SelectedExecutor& selected,
                                        ExecutorServices& services) {
  const auto refuse = [&](const std::string& what) -> RefusedFile {
    return {selected.entry.file.path,
            "the create() of its ExecutorFactory " + what + ": remove the plugin or mend it"};
  };
  std::unique_ptr<Executor> executor;
  try {
    executor = selected.plugin.ask<ExecutorFactory, std::unique_ptr<Executor>>(
        "ExecutorFactory::create()",
        [&services](const ExecutorFactory& factory) { return factory.create(services); });
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw refuse(std::string("threw: ") + error.what());
  } catch (...) {
    throw refuse("threw what is no std::exception");
  }
  if (executor == nullptr) throw refuse("returned null, where an executor was asked for");
  return executor;
}

}  // namespace freshet
