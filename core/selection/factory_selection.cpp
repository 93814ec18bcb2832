#include "selection/factory_selection.h"

namespace freshet::core {

std::string asked_target(const Configuration& configuration) {
  const auto target = configuration.find(options::kExecutionTarget);
  if (!target) return "a configuration without a target (" + options::kExecutionTarget.key() + ")";
  return "target '" + *target + "' (" + options::kExecutionTarget.key() + " from " +
         configuration.origin(options::kExecutionTarget).text() + ")";
}

namespace {

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "'" : " or '") + name + "'";
  return text;
}

}  // namespace

std::string words_of_none(const PluginCatalog& catalog, std::uint32_t kind,
                          const Configuration& configuration,
                          const std::vector<std::string>& warnings) {
  std::vector<std::string> names;
  for (const CatalogEntry* entry : catalog.usable(kind)) names.push_back(entry->file.identity.name);
  // That is the executor of sessions: whoever may be asked for a target names the session.
  if (kind == FRESHET_KIND_EXECUTOR) std::erase(names, kTargetOnCluster);
  if (kind == FRESHET_KIND_EXECUTOR) {
    for (const CatalogEntry* entry : catalog.usable(FRESHET_KIND_DEPLOYER)) {
      const Target target{entry->file.identity.name};
      names.push_back(target.text());
      names.push_back(target.session().text());
    }
  }
  // What is not a session would be refused as well.
  if (kind == FRESHET_KIND_DEPLOYER && Target::of(configuration).is_session) {
    for (std::string& name : names) name = Target{name}.session().text();
  }
  const std::string target = Target::of(configuration).text();
  const std::string nearest = nearest_name(target, names);
  std::string text = target.empty()
                         ? "no target is set (" + options::kExecutionTarget.key() + "): "
                         : "no " + kind_name(kind) + " for " + asked_target(configuration) + ": ";
  text += names.empty()       ? "install its plugin into one of the folders below"
          : target.empty()    ? "give --target=NAME: " + listed(names)
          : nearest.empty()   ? "choose " + listed(names) + ", or install its plugin"
          : nearest != target ? "did you mean '" + nearest + "'?"
                              : "the plugin of that name did not say yes, see below";
  for (const std::string& warning : warnings) text += "\n  " + warning;
  return text + catalog.account_of(kind);
}

}  // namespace freshet::core
