// The deployer 'template-name': clusters whose processes run on this host. How they are started,
// and how they are found and ended again, is what yours will do in another way.
//
//   fr-run app.so --target=template-name              a cluster for this application alone
//   fr cluster start --target=template-name-session   one for many applications
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

#include <chrono>
#include <cstdio>
#include <exception>
#include <fstream>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace {

using freshet::ApplicationSpec;
using freshet::ClusterRecord;
using freshet::Configuration;
using Client = std::unique_ptr<freshet::ClusterClient>;
using ClientFuture = freshet::Future<Client>;

constexpr const char* kName = "template-name";
constexpr std::int64_t kStartPatienceMs = 30'000;
constexpr int kEndPatienceMs = 5'000;

std::string drawn_id() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::random_device random;
  std::string id = std::string(kName) + "-";
  for (int i = 0; i < 8; ++i) id += kDigits[random() % 16];
  return id;
}

// As JSON, which is what the processes of a cluster are handed.
std::string quoted(const std::string& text) {
  std::string json = "\"";
  for (const char byte : text) {
    char code[8] = {byte};
    if (static_cast<unsigned char>(byte) < ' ')
      std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned>(byte));
    if (byte == '"' || byte == '\\') json += '\\';
    json += code;
  }
  return json + "\"";
}

// The options of the cluster, and where its processes find plugins.
std::string settings_of(const Configuration& configuration) {
  std::string json;
  const auto add = [&](const std::string& key, const std::string& text) {
    json += (json.empty() ? "" : ",") + quoted(key) + ":" + quoted(text);
  };
  const Configuration of_cluster = configuration.of_scope(freshet::Scope::kCluster);
  for (const auto& [key, entry] : of_cluster.to_entries()) add(key, entry.text);
  if (const auto plugins = configuration.lookup(freshet::options::kPluginDirs.info()))
    add(freshet::options::kPluginDirs.key(), plugins->text);
  return "{" + json + "}";
}

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
      const ClusterRecord record = start(configuration, "session");
      return or_kill(record, services_.connect(record, kStartPatienceMs));
    } catch (...) {
      return freshet::make_failed_future<Client>(std::current_exception());
    }
  }

  ClientFuture deploy_application(const ApplicationSpec& application,
                                  const Configuration& configuration) override {
    try {
      const ClusterRecord record = start(configuration, "application");
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
  ClusterRecord start(const Configuration& configuration, const std::string& mode) {
    ClusterRecord record;
    record.cluster_id = configuration.find(freshet::options::kClusterId).value_or(drawn_id());
    for (const ClusterRecord& known : services_.records()) {
      if (known.cluster_id == record.cluster_id)
        throw freshet::InvalidInput("cluster '" + record.cluster_id +
                                    "' is there already: choose another cluster.id, or end it by "
                                    "'fr cluster stop --cluster-id=" +
                                    record.cluster_id + "'");
    }
    const auto [manager_public, manager_secret] = services_.make_key_pair();
    const auto [client_public, client_secret] = services_.make_key_pair();
    record.deployer = kName;
    record.public_key = manager_public;
    record.client_key = client_secret;
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    record.since_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
    record.details["mode"] = mode;
    services_.write_record(record);
    try {
      const std::string settings = settings_of(configuration);
      start_process(record, "jobmanager", "--mode=" + mode,
                    "{\"secret_key\":" + quoted(manager_secret) + ",\"clients\":[" +
                        quoted(client_public) + "],\"settings\":" + settings + "}");
      // An option of your own, a ConfigOption at namespace scope, can take the place of this one.
      const std::int32_t count = configuration.get(freshet::options::kStandaloneTaskManagers);
      for (std::int32_t i = 1; i <= count; ++i) {
        const std::string name = "taskmanager-" + std::to_string(i);
        start_process(record, name, "--name=" + name, "{\"settings\":" + settings + "}");
      }
      services_.write_record(record);
    } catch (...) {
      kill_processes_of(record);
      services_.remove_record(record.cluster_id);
      throw;
    }
    return record;
  }

  // `name` up to its '-' is the command of fr; its id stands in the record under its name.
  void start_process(ClusterRecord& record, const std::string& name, const std::string& flag,
                     const std::string& handed) {
    const std::int64_t process =
        services_.start_detached(record.cluster_id, name,
                                 {services_.program(), name.substr(0, name.find('-')),
                                  "--cluster-id=" + record.cluster_id, flag, "--inherited"},
                                 handed);
    record.details[name] = std::to_string(process);
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
      if (record.deployer == kName && record.details["mode"] == "session")
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
      if (name == "jobmanager" || name.rfind("taskmanager-", 0) == 0)
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
