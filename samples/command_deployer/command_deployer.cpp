// A deployer whose processes are started by a command of the user's: on this host, or on another
// one with the same home.
//
//   fr-run ./libword_count.so --target=command -Dcommand-deployer.command='ssh host {}' ...
//
// A deployment: the record with the keys, a process each for job manager and task managers, the
// job manager's answer, the application. Whoever is killed between two of them leaves what kill()
// finds by the record, or what ends by itself.
#include <cstdlib>
#include <functional>
#include <mutex>
#include <random>
#include <thread>

#include "freshet/cluster_bootstrap.h"
#include "freshet/config_option.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/cluster_deployer.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/target.h"
#include "hand_over.h"
#include "shell_line.h"

namespace command_deployer {

namespace {

using freshet::ApplicationSpec;
using freshet::ClusterClient;
using freshet::ClusterFacts;
using freshet::ClusterMode;
using freshet::ClusterProcess;
using freshet::ClusterRecord;
using freshet::Configuration;
using freshet::DeployerServices;
using freshet::Future;
using ClientPointer = std::unique_ptr<ClusterClient>;

constexpr const char* kName = "command";
constexpr std::int64_t kStartPatienceMs = 30'000;

const freshet::ConfigOption<std::string> kCommand =
    freshet::ConfigOption<std::string>{
        "command-deployer.command", "exec sh -c {}",
        "What starts a process of a cluster of the target 'command', as a line for /bin/sh: '{}' "
        "is "
        "the process as a line in one word, '{words}' as words of its own. It must not end before "
        "the process does.",
        freshet::Scope::kClient}
        .check([](const std::string& text) { return has_place(text); },
               "with {} or {words} where the process stands");

std::string drawn(std::size_t digits) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string text;
  while (text.size() < digits) text += kDigits[random() % 16];
  return text;
}

}  // namespace

class CommandDeployer final : public freshet::ClusterDeployer {
 public:
  explicit CommandDeployer(DeployerServices& services) : services_(services) {}
  ~CommandDeployer() override {
    for (std::thread& each : threads_) each.join();
  }

  Future<ClientPointer> deploy_session(const Configuration& configuration) override {
    return apart<ClientPointer>(
        [=, this] { return deploy(configuration, ClusterMode::kSession, nullptr); });
  }

  Future<ClientPointer> deploy_application(const ApplicationSpec& application,
                                           const Configuration& configuration) override {
    return apart<ClientPointer>(
        [=, this] { return deploy(configuration, ClusterMode::kApplication, &application); });
  }

  Future<ClientPointer> retrieve(const Configuration& configuration) override {
    return services_.connect(chosen(configuration),
                             configuration.get(freshet::options::kClientTimeout).ms());
  }

  Future<void> kill(const std::string& cluster_id) override {
    return apart<void>([=, this] { end(cluster_id); });
  }

  std::string describe() const override {
    return "a job manager and task managers, each started by command-deployer.command";
  }

 private:
  // No call of a deployer blocks: what takes time has a thread.
  template <class T>
  Future<T> apart(std::function<T()> work) {
    freshet::Promise<T> promise;
    Future<T> future = promise.future();
    const std::lock_guard lock(mutex_);
    threads_.emplace_back([work = std::move(work), promise = std::move(promise)]() mutable {
      try {
        if constexpr (std::is_void_v<T>) {
          work();
          promise.set_value();
        } else {
          promise.set_value(work());
        }
      } catch (...) {
        promise.set_error(std::current_exception());
      }
    });
    return future;
  }

  ClientPointer deploy(const Configuration& configuration, ClusterMode mode,
                       const ApplicationSpec* application) {
    auto [record, job_manager] = freshet::plan_cluster(services_, kName, mode, configuration);
    record.details["command"] = configuration.get(kCommand);
    record.details["mark"] = "COMMAND_DEPLOYER=" + record.cluster_id + "." + drawn(16);
    try {
      // The record first: the job manager reads it, and kill() finds all by it.
      services_.write_record(record);
      start(record, job_manager);
      const std::int32_t count = configuration.get(freshet::options::kStandaloneTaskManagers);
      for (std::int32_t i = 1; i <= count; ++i)
        start(record, freshet::task_manager(services_, record, "taskmanager-" + std::to_string(i)));
      ClientPointer client = services_.connect(record, kStartPatienceMs).get();
      if (application != nullptr) static_cast<void>(client->submit_application(*application).get());
      return client;
    } catch (...) {
      const std::exception_ptr failure = std::current_exception();
      try {
        end(record.cluster_id);
      } catch (const std::exception&) {
        // The record stays, by which it may be tried again.
      }
      std::rethrow_exception(failure);
    }
  }

  void start(const ClusterRecord& record, const ClusterProcess& process) {
    const std::string& id = record.cluster_id;
    write_hand_over(id, process.name, process.handed_over);
    const std::string line = filled(
        record.details.at("command"),
        taking(hand_over_path(id, process.name), record.details.at("mark"), process.command));
    services_.start_detached(id, process.name, {"/bin/sh", "-c", line}, "");
  }

  // Whatever state it is in, also if it is gone.
  void end(const std::string& cluster_id) {
    for (const ClusterRecord& record : services_.records()) {
      if (record.cluster_id != cluster_id) continue;
      if (record.deployer != kName)
        throw freshet::InvalidInput("cluster '" + cluster_id + "' is one of the deployer '" +
                                    record.deployer + "', not of '" + kName + "'");
      run_line(filled(record.details.at("command"), killing(record.details.at("mark"))));
    }
    remove_hand_overs(cluster_id);
    services_.remove_record(cluster_id);
  }

  // Without an id: the one session there is.
  ClusterRecord chosen(const Configuration& configuration) const {
    if (const auto id = configuration.find(freshet::options::kClusterId))
      return services_.read_record(*id);
    std::vector<ClusterRecord> sessions;
    for (ClusterRecord& record : services_.records()) {
      if (record.deployer == kName && ClusterFacts::mode(record) == ClusterMode::kSession)
        sessions.push_back(std::move(record));
    }
    if (sessions.size() == 1) return sessions[0];
    throw freshet::InvalidInput(
        std::to_string(sessions.size()) + " sessions of the target 'command' are known in " +
        services_.records_folder() + ": choose one by cluster.id ('fr cluster list' shows them)");
  }

  DeployerServices& services_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

class CommandDeployerFactory final : public freshet::ClusterDeployerFactory {
 public:
  const char* name() const override { return kName; }
  bool is_compatible_with(const Configuration& configuration) const override {
    return freshet::Target::of(configuration).name == kName;
  }
  std::unique_ptr<freshet::ClusterDeployer> create(DeployerServices& services) const override {
    return std::make_unique<CommandDeployer>(services);
  }
};

}  // namespace command_deployer

FRESHET_DEPLOYER_PLUGIN("command", "0.1.0", command_deployer::CommandDeployerFactory);
