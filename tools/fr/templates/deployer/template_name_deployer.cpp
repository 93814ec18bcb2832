// The deployer 'template-name': clusters whose processes run on this host. How they are started,
// and how they are found and ended again, is what yours will do in another way.
//
//   fr-run app.so --target=template-name              a cluster for this application alone
//   fr cluster start --target=template-name-session   one for many applications
#include <freshet/cluster_bootstrap.h>
#include <freshet/configuration.h>
#include <freshet/error.h>
#include <freshet/options.h>
#include <freshet/plugin/cluster_deployer.h>
#include <freshet/plugin/plugin_registration.h>
#include <freshet/target.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <exception>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace {

using freshet::ApplicationSpec;
using freshet::ClusterFacts;
using freshet::ClusterMode;
using freshet::ClusterProcess;
using freshet::ClusterRecord;
using freshet::Configuration;
using Client = std::unique_ptr<freshet::ClusterClient>;
using ClientFuture = freshet::Future<Client>;

constexpr const char* kName = "template-name";
constexpr std::int64_t kStartPatienceMs = 30'000;
constexpr int kEndPatienceMs = 5'000;

// An id may have gone to another program: whether the process is one of that cluster.
bool belongs_to(pid_t process, const std::string& cluster_id) {
  std::ifstream words("/proc/" + std::to_string(process) + "/cmdline", std::ios::binary);
  for (std::string word; std::getline(words, word, '\0');)
    if (word == "--cluster-id=" + cluster_id) return true;
  return false;
}

void kill_and_wait(pid_t process, const std::string& cluster_id) {
  const int handle = static_cast<int>(::syscall(SYS_pidfd_open, process, 0));
  if (handle < 0) return;  // it has ended
  if (belongs_to(process, cluster_id)) {
    ::syscall(SYS_pidfd_send_signal, handle, SIGKILL, nullptr, 0);
    pollfd end{handle, POLLIN, 0};
    ::poll(&end, 1, kEndPatienceMs);
  }
  ::close(handle);
}

class TemplateNameDeployer final : public freshet::ClusterDeployer {
 public:
  explicit TemplateNameDeployer(freshet::DeployerServices& services) : services_(services) {}

  // No call blocks or throws: what fails fails the future.
  ClientFuture deploy_session(const Configuration& configuration) override {
    try {
      const ClusterRecord record = start(configuration, ClusterMode::kSession);
      return or_kill(record, services_.connect(record, kStartPatienceMs));
    } catch (...) {
      return freshet::make_failed_future<Client>(std::current_exception());
    }
  }

  ClientFuture deploy_application(const ApplicationSpec& application,
                                  const Configuration& configuration) override {
    try {
      const ClusterRecord record = start(configuration, ClusterMode::kApplication);
      ClientFuture connected = services_.connect(record, kStartPatienceMs);
      return or_kill(record, connected.then([application](Client&& arrived) {
        const auto client = std::make_shared<Client>(std::move(arrived));
        return (*client)->submit_application(application).then([client](const std::string&) {
          return std::move(*client);
        });
      }));
    } catch (...) {
      return freshet::make_failed_future<Client>(std::current_exception());
    }
  }

  ClientFuture retrieve(const Configuration& configuration) override {
    try {
      return services_.connect(chosen(configuration),
                               configuration.get(freshet::options::kClientTimeout).ms());
    } catch (...) {
      return freshet::make_failed_future<Client>(std::current_exception());
    }
  }

  // Whatever state it is in, also if there is none of that id: it may be called again.
  freshet::Future<void> kill(const std::string& cluster_id) override {
    try {
      for (const ClusterRecord& record : services_.records())
        if (record.cluster_id == cluster_id) kill_processes_of(record);
      services_.remove_record(cluster_id);
      return freshet::make_ready_future();
    } catch (...) {
      return freshet::make_failed_future<void>(std::current_exception());
    }
  }

  std::string describe() const override {
    return "a job manager and task managers as processes of this host";
  }

 private:
  // The record comes first: whoever is killed after that leaves what kill() finds by it.
  ClusterRecord start(const Configuration& configuration, ClusterMode mode) {
    auto [record, job_manager] = freshet::plan_cluster(services_, kName, mode, configuration);
    services_.write_record(record);
    try {
      start_process(record, job_manager);
      // An option of your own, a ConfigOption at namespace scope, can take the place of this one.
      const std::int32_t count = configuration.get(freshet::options::kStandaloneTaskManagers);
      for (std::int32_t i = 1; i <= count; ++i)
        start_process(record,
                      freshet::task_manager(services_, record, "taskmanager-" + std::to_string(i)));
      services_.write_record(record);
    } catch (...) {
      kill_processes_of(record);
      services_.remove_record(record.cluster_id);
      throw;
    }
    return record;
  }

  // Its id stands in the record under its name.
  void start_process(ClusterRecord& record, const ClusterProcess& process) {
    record.details[process.name] = std::to_string(services_.start_detached(
        record.cluster_id, process.name, process.command, process.handed_over));
  }

  // A deployment that fails leaves nothing.
  ClientFuture or_kill(const ClusterRecord& record, ClientFuture client) {
    return client.then([this, record](ClientFuture done) -> Client {
      try {
        return done.get();
      } catch (...) {
        kill_processes_of(record);
        services_.remove_record(record.cluster_id);
        throw;
      }
    });
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
    throw freshet::InvalidInput(std::to_string(sessions.size()) + " sessions of the target '" +
                                kName + "' are known in " + services_.records_folder() +
                                ": choose one by cluster.id ('fr cluster list' shows them)");
  }

  // Runners and workers end with them.
  static void kill_processes_of(const ClusterRecord& record) {
    for (const auto& [name, value] : record.details) {
      if (name == ClusterFacts::kJobManager || name.rfind("taskmanager-", 0) == 0)
        kill_and_wait(static_cast<pid_t>(std::stol(value)), record.cluster_id);
    }
  }

  freshet::DeployerServices& services_;
};

class TemplateNameDeployerFactory final : public freshet::ClusterDeployerFactory {
 public:
  const char* name() const override { return kName; }
  // Exactly one deployer says yes to a configuration.
  bool is_compatible_with(const Configuration& configuration) const override {
    return freshet::Target::of(configuration).name == kName;
  }
  std::unique_ptr<freshet::ClusterDeployer> create(
      freshet::DeployerServices& services) const override {
    return std::make_unique<TemplateNameDeployer>(services);
  }
};

}  // namespace

FRESHET_DEPLOYER_PLUGIN("template-name", "0.1.0", TemplateNameDeployerFactory);
