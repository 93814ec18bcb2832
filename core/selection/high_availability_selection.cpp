#include "selection/high_availability_selection.h"

#include "configuration/configuration.h"
#include "configuration/environment.h"
#include "freshet/options.h"
#include "freshet/plugin/nearest_name.h"
#include "high_availability/no_high_availability.h"
#include "selection/factory_selection.h"

namespace freshet::core {
namespace {

constexpr std::uint32_t kKind = FRESHET_KIND_HIGH_AVAILABILITY;

// "type 'keeper' (high-availability.type from -D on the command line)"
std::string asked_type(const Configuration& configuration) {
  const auto& option = options::kHighAvailabilityType;
  return "type '" + configuration.get(option) + "' (" + option.key() + " from " +
         configuration.origin(option).text() + ")";
}

std::string words_of_no_service(const PluginCatalog& catalog, const Configuration& configuration,
                                const std::vector<std::string>& warnings) {
  std::vector<std::string> names{"none"};
  for (const CatalogEntry* entry : catalog.usable(kKind)) {
    names.push_back(entry->file.identity.name);
  }
  const std::string type = configuration.get(options::kHighAvailabilityType);
  const std::string nearest = nearest_name(type, names);
  std::string text = "no " + kind_name(kKind) + " for " + asked_type(configuration) + ": ";
  text += nearest.empty()   ? "install its plugin into one of the folders below, or choose 'none'"
          : nearest != type ? "did you mean '" + nearest + "'?"
                            : "the plugin of that name did not say yes, see below";
  for (const std::string& warning : warnings) text += "\n  " + warning;
  return text + catalog.account_of(kKind);
}

}  // namespace

NoHighAvailabilityService::~NoHighAvailabilityService() = default;
SeveralHighAvailabilityServices::~SeveralHighAvailabilityServices() = default;

bool has_high_availability(const Configuration& configuration) {
  return configuration.get(options::kHighAvailabilityType) != "none";
}

std::unique_ptr<HighAvailability> make_high_availability(const Configuration& configuration,
                                                         const std::string& cluster_id,
                                                         std::vector<std::string>& skipped) {
  if (!has_high_availability(configuration)) return make_no_high_availability();
  PluginCatalog catalog(
      SearchPath(SearchPath::Sources::of_this_process(configuration.get(options::kPluginDirs))));
  const auto answers = ask_factories<HighAvailabilityFactory>(catalog, kKind, configuration);
  skipped.insert(skipped.end(), answers.warnings.begin(), answers.warnings.end());
  if (answers.compatible.empty()) {
    throw NoHighAvailabilityService(words_of_no_service(catalog, configuration, answers.warnings));
  }
  if (answers.compatible.size() > 1) {
    std::string text = std::to_string(answers.compatible.size()) + " " + kind_name(kKind) +
                       "s say that they are " + asked_type(configuration) +
                       ", exactly one may: remove all but one";
    for (const auto& each : answers.compatible) {
      text += "\n  '" + each.plugin->entry().file.identity.name + "' in " +
              printable(each.plugin->entry().file.path.native(), 4096);
    }
    throw SeveralHighAvailabilityServices(text);
  }
  const auto& one = answers.compatible[0];
  const SelectedFactory<HighAvailabilityFactory> selected{
      *one.factory, one.plugin->entry(), *one.plugin, {}};
  Configuration with_its_options = configuration;
  adopt_new_options(with_its_options, process_environment());
  return make_by<HighAvailability>(
      selected, "HighAvailabilityFactory", "a high-availability service",
      [with_its_options, cluster_id](const HighAvailabilityFactory& factory) {
        return factory.create(with_its_options, cluster_id);
      });
}

}  // namespace freshet::core
