#include "cluster_run.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "client/deployer_services.h"
#include "cluster_words.h"
#include "exit_code.h"
#include "fetching/url_path.h"
#include "freshet/error.h"
#include "freshet/job_client.h"
#include "freshet/options.h"
#include "interrupts.h"
#include "plugin_catalog/deployer_selection.h"
#include "process/main_end.h"
#include "progress.h"
#include "rpc/id_source.h"
#include "shown_text.h"

namespace freshet::tool {
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

// What main prints, as it comes. The runner's own last line is told in the reason of its end.
class Output {
 public:
  Output(ClusterClient& client, std::string process)
      : client_(client), process_(std::move(process)) {}

  // False: there was nothing new within that time, or before nobody answers any more.
  bool follow(std::int64_t patience_ms, const std::function<bool()>& nobody_answers) {
    try {
      const Future<LogChunk> answer = client_.read_log(process_, at_);
      for (std::int64_t waited = 0; !answer.wait_for(kLookMs); waited += kLookMs)
        if (waited >= patience_ms || (nobody_answers() && !answer.wait_for(kLookMs))) return false;
      const LogChunk chunk = answer.get();
      if (chunk.text.empty()) return false;
      const std::uint64_t begin = chunk.next - chunk.text.size();
      if (begin > at_) skip(begin - at_);
      at_ = chunk.next;
      show(chunk.text);
      return true;
    } catch (const Error&) {
      return false;  // main has not begun, or the cluster has ended
    }
  }
  void finish() {
    if (!line_.empty() && !is_own(line_)) put(line_);
    line_.clear();
    std::fflush(stdout);
    if (skipped_ > 0)
      std::fprintf(stderr,
                   "fr-run: %llu bytes that main printed are not shown: its log had dropped them "
                   "before they were read here, raise the cluster's log.max-size or print less\n",
                   static_cast<unsigned long long>(skipped_));
  }

 private:
  static bool is_own(const std::string& line) {
    static const std::string mark = last_line_of_main("").substr(0, 10);
    return line.compare(0, mark.size(), mark) == 0;
  }
  void skip(std::uint64_t bytes) {
    skipped_ += bytes;
    if (!line_.empty()) put(line_ + "\n");
    line_.clear();
  }
  void show(const std::string& text) {
    std::size_t begin = 0;
    for (std::size_t end = text.find('\n'); end != std::string::npos;
         end = text.find('\n', begin)) {
      line_.append(text, begin, end + 1 - begin);
      if (is_own(line_)) is_over_ = true;
      if (!is_over_) put(line_);
      line_.clear();
      begin = end + 1;
    }
    line_.append(text, begin);
    std::fflush(stdout);
  }
  static void put(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

  ClusterClient& client_;
  const std::string process_;
  std::uint64_t at_ = 0;
  std::uint64_t skipped_ = 0;
  std::string line_;
  bool is_over_ = false;
};

int code_of(const ApplicationInfo& end) {
  switch (end.status) {
    case ApplicationStatus::kFinished:
      return kFinished;
    case ApplicationStatus::kCanceled:
      return kCanceled;
    default:
      if (end.signal) return 128 + *end.signal;
      if (end.exit_code && *end.exit_code != 0) return *end.exit_code;
      return kJobFailed;
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
    return LocalDeployerServices::instance().cluster_records().find(cluster_id);
  } catch (const InvalidInput&) {
    return std::nullopt;
  }
}

int attend(ClusterClient& client, const std::string& id, const Configuration& configuration) {
  const auto record = known_record(client.cluster_id());
  const auto cluster_is_gone = [&] {
    return record && has_ended(LocalDeployerServices::instance().cluster_records(), *record);
  };
  Output output(client, "main:" + id);
  const Future<ApplicationInfo> ended = client.application_end(id);
  {
    ClusterProgress progress(client, id, configuration.get(options::kClientProgressInterval).ms());
    while (!ended.wait_for(kLookMs)) {
      while (output.follow(1'000, cluster_is_gone) && !ended.ready()) {
      }
      progress.show();
    }
  }
  const ApplicationInfo end = ended.get();
  while (output.follow(kLastOutputMs, cluster_is_gone)) {
  }
  output.finish();
  if (end.status == ApplicationStatus::kCanceled) {
    // Who waits knows of its own Ctrl-C.
    const bool by_client = end.reason.rfind("canceled by", 0) == 0;
    std::fprintf(stderr, "fr-run: canceled%s\n",
                 by_client ? "" : (": " + shown_text(end.reason, kIndent)).c_str());
  } else if (end.status == ApplicationStatus::kFailed) {
    std::fprintf(stderr, "fr-run: application '%s' (%s) failed: %s\n", shown_text(end.name).c_str(),
                 end.id.c_str(), shown_text(end.reason, kIndent).c_str());
  } else if (end.jobs.empty()) {
    std::fprintf(stderr, "fr-run: main of %s has run no job\n", shown_text(end.name).c_str());
  }
  return code_of(end);
}

}  // namespace

int run_on_cluster(const ClusterRun& run, const Configuration& configuration,
                   PluginCatalog& catalog) {
  const SelectedDeployer selected = select_deployer(catalog, configuration);
  for (const std::string& warning : selected.warnings)
    std::fprintf(stderr, "fr-run: warning: %s\n", warning.c_str());
  LocalDeployerServices& services = LocalDeployerServices::instance();
  remove_all_remains(services.cluster_records());
  const bool attached = configuration.get(options::kClientAttached);
  services.set_applications_end_with_clients(attached &&
                                             configuration.get(options::kClientEndsCluster));
  services.set_client_timeout(configuration.get(options::kClientTimeout).ms());
  const auto deployer = make_deployer(selected, services);
  const ApplicationSpec spec = spec_of(run, configuration);
  std::unique_ptr<ClusterClient> client;
  const bool session = is_session_target(configuration);
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
    return kFinished;
  }
  return attend(*client, spec.id, configuration);
}

}  // namespace freshet::tool
