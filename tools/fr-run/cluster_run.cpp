#include "cluster_run.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "backend/this_process.h"
#include "client/client_session.h"
#include "cluster_words.h"
#include "control/id_source.h"
#include "exit_code/exit_code.h"
#include "fetching/url_path.h"
#include "freshet/error.h"
#include "freshet/job_client.h"
#include "freshet/options.h"
#include "freshet/target.h"
#include "host/deployer_services.h"
#include "interrupts.h"
#include "main_output.h"
#include "progress.h"
#include "report.h"
#include "selection/deployer_selection.h"
#include "selection/front_end_selection.h"
#include "shown_text.h"
#include "standard_streams.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr std::int64_t kLookMs = 50;
constexpr const char* kIndent = "  ";
// How long is waited for the last of main's output where nobody can tell that the cluster is gone.
constexpr std::int64_t kLastOutputMs = 2'000;

ApplicationSpec spec_of(const ClusterRun& run, const Configuration& configuration) {
  ApplicationSpec spec;
  spec.id = configuration.find(options::kApplicationId).value_or("");
  if (spec.id.empty()) spec.id = RandomIds().draw();
  spec.main = artifact_of(run.application);
  const std::string& location = spec.main.location;
  spec.name = location.find("://") == std::string::npos
                  ? std::filesystem::path(location).filename().native()
                  : file_name_of(location);
  for (const std::string& file : run.shipped) spec.shipped.push_back(artifact_of(file));
  spec.arguments = run.arguments;
  const Configuration of_job = configuration.of_scope(Scope::kJob);
  for (const auto& [key, entry] : of_job.to_entries()) spec.settings[key] = entry.text;
  std::error_code unknown;
  const std::filesystem::path here = std::filesystem::current_path(unknown);
  if (!unknown) spec.settings.emplace(options::kApplicationWorkingFolder.key(), here.native());
  return spec;
}

int code_of(const ApplicationInfo& end) {
  switch (end.status) {
    case ApplicationStatus::kFinished:
      return exit_code::kDone;
    case ApplicationStatus::kCanceled:
      return exit_code::kCanceled;
    default:
      if (end.signal) return 128 + *end.signal;
      if (end.exit_code && *end.exit_code != 0) return *end.exit_code;
      return exit_code::kFailed;
  }
}

// Cancels the application on the first Ctrl-C; once it is submitted, if that came before.
class CancelOnInterrupt {
 public:
  explicit CancelOnInterrupt(std::string id) : id_(std::move(id)) {
    set_interrupt_handler([this] {
      std::fprintf(stderr, "fr-run: canceling application %s (once more to leave at once)\n",
                   id_.c_str());
      const std::lock_guard lock(mutex_);
      interrupted_ = true;
      if (client_ != nullptr) static_cast<void>(client_->cancel_application(id_));
    });
  }
  ~CancelOnInterrupt() { set_interrupt_handler(nullptr); }
  CancelOnInterrupt(const CancelOnInterrupt&) = delete;
  CancelOnInterrupt& operator=(const CancelOnInterrupt&) = delete;

  // Outlives this.
  void submitted(ClusterClient& client) {
    const std::lock_guard lock(mutex_);
    client_ = &client;
    if (interrupted_) static_cast<void>(client.cancel_application(id_));
  }

 private:
  const std::string id_;
  std::mutex mutex_;
  ClusterClient* client_ = nullptr;
  bool interrupted_ = false;
};

// Nothing of a cluster that has left this host's records, or is elsewhere.
std::optional<ClusterRecord> known_record(const std::string& cluster_id) {
  try {
    return deployer_services_of_this_process().cluster_records().find(cluster_id);
  } catch (const InvalidInput&) {
    return std::nullopt;
  }
}

int attend(const Clock& clock, ClusterClient& client, const std::string& id,
           const Configuration& configuration, bool verbose) {
  const auto record = known_record(client.cluster_id());
  const auto cluster_is_gone = [&] {
    return record && has_ended(deployer_services_of_this_process().cluster_records(), *record);
  };
  MainOutput output(client, "main:" + id);
  const Future<ApplicationInfo> ended = client.application_end(id);
  {
    ClusterProgress progress(clock, client, id,
                             configuration.get(options::kClientProgressInterval).ms());
    while (!ended.wait_for(kLookMs)) {
      while (output.follow(1'000, cluster_is_gone) && !ended.ready()) {
      }
      progress.show();
    }
  }
  ApplicationInfo end;
  try {
    end = ended.get();
  } catch (const RecordsLost& lost) {
    output.finish();
    std::fprintf(stderr, "fr-run: application %s was submitted: %s\n", id.c_str(),
                 shown_text(lost.what(), kIndent).c_str());
    return exit_code::kNoCluster;
  } catch (const Error& error) {
    // It was accepted, so it is not this that was refused.
    output.finish();
    std::fprintf(stderr, "fr-run: application %s was submitted, its result is unknown: %s\n",
                 id.c_str(), shown_text(error.what(), kIndent).c_str());
    return exit_code::kNoCluster;
  }
  while (output.follow(kLastOutputMs, cluster_is_gone)) {
  }
  const bool all_shown = output.finish();
  if (end.status == ApplicationStatus::kCanceled) {
    // Who waits knows of its own Ctrl-C.
    const bool by_client = end.reason.rfind("canceled by", 0) == 0;
    std::fprintf(stderr, "fr-run: canceled%s\n",
                 by_client ? "" : (": " + shown_failure(end.reason, verbose, kIndent)).c_str());
  } else if (end.status == ApplicationStatus::kFailed) {
    std::fprintf(stderr, "fr-run: application '%s' (%s) failed: %s\n", shown_text(end.name).c_str(),
                 end.id.c_str(), shown_failure(end.reason, verbose, kIndent).c_str());
  } else if (!end.reason.empty()) {
    std::fprintf(stderr, "fr-run: application '%s' (%s): %s\n", shown_text(end.name).c_str(),
                 end.id.c_str(), shown_failure(end.reason, verbose, kIndent).c_str());
  } else if (end.jobs.empty()) {
    std::fprintf(stderr, "fr-run: main of %s has run no job\n", shown_text(end.name).c_str());
  }
  const int code = code_of(end);
  return code == exit_code::kDone && !all_shown ? exit_code::kOutputLost : code;
}

}  // namespace

void refuse_shipped(const std::string& pipeline) {
  throw InvalidInput("--ship is for applications: '" + pipeline +
                     "' is read by a front end: leave it out");
}

int run_on_cluster(const Clock& clock, const ClusterRun& run, const Configuration& configuration,
                   PluginCatalog& catalog) {
  const SelectedDeployer selected = select_deployer(catalog, configuration);
  for (const std::string& warning : selected.warnings)
    std::fprintf(stderr, "fr-run: warning: %s\n", warning.c_str());
  if (!run.shipped.empty() && may_be_a_pipeline(run.application)) refuse_shipped(run.application);
  LocalDeployerServices& services = deployer_services_of_this_process();
  remove_all_remains(services.cluster_records());
  const bool attached = configuration.get(options::kClientAttached);
  services.set_applications_end_with_clients(attached &&
                                             configuration.get(options::kClientEndsCluster));
  services.set_client_timeout(configuration.get(options::kClientTimeout).ms());
  const auto deployer = make_deployer(selected, services);
  const ApplicationSpec spec = spec_of(run, configuration);
  std::unique_ptr<ClusterClient> client;
  const bool session = Target::of(configuration).is_session;
  if (session) {  // until that is there, a Ctrl-C has nothing to cancel
    if (run.wait_for_cluster) static_cast<void>(find_cluster(configuration, true));
    if (!configuration.find(options::kClusterId)) services.cluster_records().check_all_readable();
    client = deployer->retrieve(configuration).get();
  }
  CancelOnInterrupt interrupts(spec.id);
  if (session) {
    static_cast<void>(client->submit_application(spec).get());
  } else {
    client = deployer->deploy_application(spec, configuration).get();
  }
  interrupts.submitted(*client);
  if (!attached) {
    std::printf("application %s on cluster %s\n", spec.id.c_str(), client->cluster_id().c_str());
    return exit_code::kDone;
  }
  return attend(clock, *client, spec.id, configuration, run.verbose);
}

}  // namespace freshet::tool
