// Clusters of processes on this host: a job manager and task managers, each of which belongs to
// nobody. Target 'standalone': a cluster for one application; 'standalone-session': for many.
//
// The order of a deployment: the record with the keys, the processes, the record with their ids,
// the job manager's answer, the application. Whoever is killed between two of them leaves what
// kill() finds, or what the cluster itself ends: a job manager to which no application comes ends,
// and task managers end with it.
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "freshet/cluster_bootstrap.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/cluster_deployer.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/target.h"
#include "host_process.h"

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
using ClientFuture = Future<std::unique_ptr<ClusterClient>>;
using Names = std::vector<std::string>;

constexpr std::int64_t kStartPatienceMs = 30'000;
constexpr std::int64_t kEndPatienceMs = 5'000;
constexpr std::int64_t kConnectPatienceMs = 5'000;
constexpr const char* kName = "standalone";
constexpr const char* kTaskManager = "taskmanager-";  // and its number, by which none is a second
constexpr const char* kLastNumber = "last-taskmanager";

class StandaloneDeployer final : public freshet::ClusterDeployer {
 public:
  explicit StandaloneDeployer(DeployerServices& services) : services_(services) {}
  ~StandaloneDeployer() override {
    for (Call& each : calls_) each.thread.join();
  }

  ClientFuture deploy_session(const Configuration& configuration) override {
    try {
      return or_kill(start(configuration, ClusterMode::kSession));
    } catch (...) {
      return freshet::make_failed_future<std::unique_ptr<ClusterClient>>(std::current_exception());
    }
  }

  ClientFuture deploy_application(const ApplicationSpec& application,
                                  const Configuration& configuration) override {
    try {
      Started started = start(configuration, ClusterMode::kApplication);
      started.client = started.client.then([application](std::unique_ptr<ClusterClient>&& arrived) {
        const auto client = std::make_shared<std::unique_ptr<ClusterClient>>(std::move(arrived));
        return (*client)->submit_application(application).then([client](const std::string&) {
          return std::move(*client);
        });
      });
      return or_kill(std::move(started));
    } catch (...) {
      return freshet::make_failed_future<std::unique_ptr<ClusterClient>>(std::current_exception());
    }
  }

  ClientFuture retrieve(const Configuration& configuration) override {
    return services_.connect(chosen(configuration),
                             configuration.get(freshet::options::kClientTimeout).ms());
  }

  Future<void> kill(const std::string& cluster_id) override {
    try {
      // Once more after its job manager is dead, which may have started task managers meanwhile.
      for (int round = 0; round < 2; ++round) {
        for (const ClusterRecord& record : services_.records()) {
          if (record.cluster_id == cluster_id) kill_processes_of(record);
        }
      }
      services_.remove_record(cluster_id);
      return freshet::make_ready_future();
    } catch (...) {
      return freshet::make_failed_future<void>(std::current_exception());
    }
  }

  Future<Names> resize(const std::string& cluster_id, std::uint32_t count) override {
    return apart([=, this] { return resized(cluster_id, count); });
  }

  Future<Names> task_managers(const std::string& cluster_id) override {
    try {
      return freshet::make_ready_future(living(own_record(cluster_id)));
    } catch (...) {
      return freshet::make_failed_future<Names>(std::current_exception());
    }
  }

  std::string describe() const override {
    return "a job manager and task managers as processes of this host";
  }

 private:
  struct Call {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> over;
  };
  struct Started {
    ClusterRecord record;
    ClientFuture client;
  };

  Started start(const Configuration& configuration, ClusterMode mode) {
    freshet::ClusterBootstrap cluster =
        freshet::plan_cluster(services_, kName, mode, configuration);
    ClusterRecord& record = cluster.record;
    services_.write_record(record);

    const std::int32_t task_managers = configuration.get(freshet::options::kStandaloneTaskManagers);
    try {
      ClusterFacts::set_job_manager(record, start_process(record, cluster.job_manager));
      for (std::int32_t i = 0; i < task_managers; ++i) start_task_manager(record);
      services_.write_record(record);
    } catch (...) {
      kill_processes_of(record);
      services_.remove_record(record.cluster_id);
      throw;
    }
    return {record, services_.connect(record, kStartPatienceMs)};
  }

  std::int64_t start_process(const ClusterRecord& record, const ClusterProcess& process) const {
    return services_.start_detached(record.cluster_id, process.name, process.command,
                                    process.handed_over);
  }

  // What waits for others has a thread, as no call of a deployer blocks.
  Future<Names> apart(std::function<Names()> work) {
    freshet::Promise<Names> promise;
    Future<Names> future = promise.future();
    const auto over = std::make_shared<std::atomic<bool>>(false);
    const std::lock_guard lock(mutex_);
    std::erase_if(calls_, [](Call& each) {
      if (!*each.over) return false;
      each.thread.join();
      return true;
    });
    std::thread thread([work = std::move(work), promise = std::move(promise), over]() mutable {
      try {
        promise.set_value(work());
      } catch (...) {
        promise.set_error(std::current_exception());
      }
      *over = true;
    });
    calls_.push_back({std::move(thread), over});
    return future;
  }

  ClusterRecord own_record(const std::string& cluster_id) const {
    ClusterRecord record = services_.read_record(cluster_id);
    if (record.deployer != kName)
      throw freshet::InvalidInput("cluster '" + cluster_id + "' is one of the deployer '" +
                                  record.deployer + "', not of '" + kName + "'");
    return record;
  }

  // Adds it to the record, under the next number.
  void start_task_manager(ClusterRecord& record) const {
    std::string& last = record.details[kLastNumber];
    last = std::to_string(number_in(last) + 1);
    const std::string name = kTaskManager + last;
    record.details[name] =
        std::to_string(start_process(record, freshet::task_manager(services_, record, name)));
  }

  static long number_in(const std::string& text) { return std::strtol(text.c_str(), nullptr, 10); }

  static std::int64_t process_of(const ClusterRecord& record, const std::string& name) {
    return number_in(record.details.at(name));
  }

  // Of the task managers in the record, oldest first.
  static Names named(const ClusterRecord& record) {
    const std::string mark = kTaskManager;
    Names names;
    for (const auto& [name, process] : record.details)
      if (name.rfind(mark, 0) == 0) names.push_back(name);
    std::sort(names.begin(), names.end(), [&](const std::string& a, const std::string& b) {
      return number_in(a.substr(mark.size())) < number_in(b.substr(mark.size()));
    });
    return names;
  }

  static Names living(const ClusterRecord& record) {
    Names names = named(record);
    std::erase_if(names, [&](const std::string& name) {
      return !standalone::lives(record.cluster_id, process_of(record, name));
    });
    return names;
  }

  Names resized(const std::string& cluster_id, std::uint32_t count) {
    const auto lock = services_.lock_cluster(cluster_id);
    ClusterRecord record = own_record(cluster_id);
    Names names = living(record);
    for (const std::string& name : named(record)) {
      if (std::find(names.begin(), names.end(), name) == names.end())
        record.details[name].clear();  // it has died
    }
    while (names.size() < count) {
      start_task_manager(record);
      services_.write_record(record);
      names.push_back(kTaskManager + record.details.at(kLastNumber));
    }
    const auto surplus = static_cast<std::uint32_t>(names.size() - count);
    if (surplus > 0) {
      for (const std::string& name : released(record, names, surplus)) {
        record.details[name].clear();
        std::erase(names, name);
      }
    }
    services_.write_record(record);
    if (names.size() == count) return names;
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
    throw freshet::InvalidInput(
        "cluster '" + cluster_id + "' has " + std::to_string(names.size()) +
        " task managers still, not " + std::to_string(count) + ": " + list +
        " hold workers; resize it again when their jobs have ended, or cancel those");
  }

  // Ends as many of them as are to spare, youngest first; which, the job manager decides.
  Names released(const ClusterRecord& record, const Names& names, std::uint32_t surplus) {
    const auto client = services_.connect(record, kConnectPatienceMs).get();
    const Names gone = client->release_task_managers({names.rbegin(), names.rend()}, surplus).get();
    std::vector<std::int64_t> processes;
    for (const std::string& name : gone) processes.push_back(process_of(record, name));
    standalone::await_processes(record.cluster_id, processes, kEndPatienceMs);
    return gone;
  }

  // A deployment that fails leaves nothing.
  ClientFuture or_kill(Started started) {
    return started.client.then(
        [this, record = started.record](ClientFuture done) -> std::unique_ptr<ClusterClient> {
          try {
            return done.get();
          } catch (...) {
            // The cluster's own record may be gone: its last process takes it away.
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
    std::string names;
    for (ClusterRecord& record : services_.records()) {
      if (record.deployer != kName || ClusterFacts::mode(record) != ClusterMode::kSession) continue;
      names += (names.empty() ? "'" : ", '") + record.cluster_id + "'";
      sessions.push_back(std::move(record));
    }
    if (sessions.size() == 1) return sessions[0];
    if (sessions.empty())
      throw freshet::InvalidInput(
          "no standalone session is known: looked in " + services_.records_folder() +
          ": start one by 'fr cluster start', or give the id of a cluster by cluster.id");
    throw freshet::InvalidInput(std::to_string(sessions.size()) +
                                " standalone sessions are known, " + names +
                                ": choose one by cluster.id");
  }

  static void kill_processes_of(const ClusterRecord& record) {
    std::vector<std::int64_t> processes;
    for (const auto& [name, value] : record.details) {
      if (name == ClusterFacts::kJobManager || name.rfind(kTaskManager, 0) == 0)
        processes.push_back(std::strtoll(value.c_str(), nullptr, 10));
    }
    standalone::kill_processes(record.cluster_id, processes, kEndPatienceMs);
  }

  DeployerServices& services_;
  std::mutex mutex_;
  std::vector<Call> calls_;
};

class StandaloneDeployerFactory final : public freshet::ClusterDeployerFactory {
 public:
  const char* name() const override { return kName; }
  bool is_compatible_with(const Configuration& configuration) const override {
    return freshet::Target::of(configuration).name == kName;
  }
  std::unique_ptr<freshet::ClusterDeployer> create(DeployerServices& services) const override {
    return std::make_unique<StandaloneDeployer>(services);
  }
};

}  // namespace

FRESHET_DEPLOYER_PLUGIN("standalone", FRESHET_VERSION_STRING, StandaloneDeployerFactory);
