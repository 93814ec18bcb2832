// fr taskmanager: offers slots of this host to a cluster, until the cluster ends.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <mutex>
#include <optional>

#include "blobs/stored_blobs.h"
#include "client/cluster_node.h"
#include "clock/clock.h"
#include "cluster/daemon.h"
#include "cluster/join_file.h"
#include "command.h"
#include "exit_code/exit_code.h"
#include "freshet/cluster_bootstrap.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "host/cluster_presence.h"
#include "host/cluster_records.h"
#include "host/deployer_services.h"
#include "network/endpoint.h"
#include "posix/descriptor_limit.h"
#include "process/child_processes.h"
#include "process/started_process.h"
#include "security/owner_only.h"
#include "selection/high_availability_selection.h"
#include "task_manager/task_manager.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr std::int64_t kPatienceMs = 30'000;  // without a job manager

struct Words : DaemonWords {
  std::string join;
  std::string name;
};

// Of the cluster whose record this user has. A deployer writes the record before it starts us.
JoinFile join_of(const ClusterRecords& records, const std::string& id, bool by_deployer,
                 const EndSignals& signals) {
  ClusterRecord record;
  const int stop = signals.descriptor();
  if (by_deployer) {
    if (!records.wait_for_endpoint_of_known(id, kPatienceMs, record, stop))
      throw InvalidInput("cluster '" + id + "' was ended before its job manager announced itself");
  } else if (!records.wait_for_endpoint(id, kPatienceMs, record, stop)) {
    throw InvalidInput(
        "no job manager of cluster '" + id + "' has announced itself in " +
        records.path_of(id).native() + " within " + std::to_string(kPatienceMs) +
        " ms or before a signal came: start one by 'fr jobmanager --cluster-id=" + id + "'");
  }
  return read_join_file(records.folder().run(id) / "join.json");
}

// One that must not be read any more tells nothing new.
std::optional<ClusterRecord> present_record(const ClusterRecords& records, const std::string& id,
                                            const std::optional<ClusterRecord>& known) {
  try {
    return records.find(id);
  } catch (const InvalidInput&) {
    return known;
  }
}

bool job_manager_lives(const std::optional<ClusterRecord>& record) {
  if (!record) return false;
  const auto process = static_cast<pid_t>(ClusterFacts::job_manager(*record));
  return process == 0 || !has_ended(process);
}

// Where the leader is, as the high-availability service tells.
class KnownLeader final : public LeaderListener {
 public:
  void leader_changed(const LeaderAddress& leader) override {
    const std::lock_guard lock(mutex_);
    endpoint_ = leader.endpoint;
  }
  std::string endpoint() const {
    const std::lock_guard lock(mutex_);
    return endpoint_;
  }

 private:
  mutable std::mutex mutex_;
  std::string endpoint_;
};

// Null with 'none'.
std::unique_ptr<HighAvailability> watched(const Configuration& configuration,
                                          const std::string& cluster_id, KnownLeader& leader) {
  if (!has_high_availability(configuration)) return nullptr;
  std::vector<std::string> skipped;
  auto service = make_high_availability(configuration, cluster_id, skipped);
  for (const std::string& warning : skipped) spdlog::warn("{}", warning);
  service->retrieval().watch(leader);
  return service;
}

int run(Words words) {
  raise_descriptor_limit();
  TaskManagerHandOver handed;
  if (words.inherited) handed = TaskManagerHandOver::from_text(take_inherited());
  EndSignals signals;
  const Configuration configuration = daemon_configuration(words, handed.settings);
  const std::string bind = task_manager_bind(configuration);
  const std::string told = told_host(configuration, options::kTaskmanagerHost);
  const LinkOptions links = link_options(configuration);
  const ClusterRecords records(SystemClock::instance(), StateFolder::of_this_user());
  JoinFile join;
  if (!words.join.empty()) {
    join = read_join_file(words.join);
  }
  const std::string id = words.join.empty() ? words.cluster_id : join.cluster_id;
  const std::string name = !words.name.empty()
                               ? words.name
                               : "taskmanager-" + host_name() + "-" + std::to_string(::getpid());
  const std::string logs = records.folder().make_logs(id);
  const auto log = open_log(configuration, logs, name, words.inherited);
  KnownLeader leader;
  const auto high_availability = watched(configuration, id, leader);
  const ClusterPresence presence(records, id);
  if (words.join.empty()) join = join_of(records, id, words.inherited, signals);
  const auto known = records.find(id);
  const bool ends_with_job_manager = known &&
                                     ClusterFacts::mode(*known) == ClusterMode::kApplication &&
                                     !has_high_availability(configuration);
  std::unique_ptr<TaskManager> manager;  // outlives what is posted to the node
  ClusterNode node(SystemClock::instance(), key_pair_of(join.secret_key));
  ChildProcesses children(node.control(),
                          child_options(configuration, logs, options::kTaskmanagerMemoryWorker));
  children.add_log(log);
  const std::filesystem::path folder = records.folder().make_run(id) / name;
  make_private_folder(folder);
  StoredBlobs blobs(folder);
  RandomIds ids;

  TaskManagerOptions role;
  role.cluster_id = id;
  role.id = name;
  role.host = host_name();
  role.process_id = ::getpid();
  role.slots = task_manager_slots(configuration);
  role.program = program_fr();
  role.socket_folder = records.folder().make_sockets(id);
  role.meeting_place = identity_of_folder(role.socket_folder);
  role.bind = bind;
  role.told_host = told;
  role.settings = settings_of_cluster(configuration);
  role.links = links;
  role.patience_ms = kPatienceMs;
  role.blob_max_idle_ms = blob_max_idle_ms(configuration);

  Promise<std::string> ended;
  const Future<std::string> end = ended.future();
  // A restarted job manager may have another address.
  const auto job_manager = [&]() -> Address {
    const auto present = present_record(records, id, known);
    if (ends_with_job_manager && !job_manager_lives(present)) {
      node.control().post("job manager has ended", [&manager] {
        if (manager) manager->end("the job manager of this application's cluster has ended");
      });
      return {};
    }
    if (const std::string endpoint = leader.endpoint(); !endpoint.empty())
      return {endpoint, join.job_manager.key};
    const auto record = words.join.empty() ? present : std::nullopt;
    if (!record || record->endpoint.empty()) return join.job_manager;
    return {record->endpoint, record->public_key};
  };
  node.run([&] {
    manager = std::make_unique<TaskManager>(
        TaskManagerServices{node.control(), node.transport(), children, blobs, ids, job_manager},
        role, [&ended](const std::string& why) { ended.set_value(why); });
    manager->start();
  });
  spdlog::info("task manager '{}' offers {} slots to cluster '{}'", name, role.slots, id);
  signals.on_first([&](const std::string& why) {
    node.control().post("end", [&manager, why] {
      if (manager) manager->end(why);
    });
  });
  const std::string why = end.get();
  spdlog::info("task manager '{}' has ended: {}", name, why);
  signals.stop();
  const bool replaced = node.run([&] {
    const bool was_replaced = manager->replaced();
    manager.reset();
    return was_replaced;
  });
  return replaced ? exit_code::kRefusedInput : exit_code::kDone;
}

const Command kTaskManager(
    "taskmanager", "Offer slots of this host to a cluster, until the cluster ends.",
    [](CLI::App& command) {
      const auto words = std::make_shared<Words>();
      words->add_to(command);
      command.add_option("--join", words->join,
                         "the file join.json of a cluster, also of one on another host");
      command.add_option("--name", words->name, "its id in the cluster");
      return [words]() -> int {
        if (words->join.empty() && words->cluster_id.empty()) {
          std::fprintf(stderr,
                       "fr taskmanager: which cluster? give --cluster-id=ID, or --join=FILE\n");
          return exit_code::kBadUsage;
        }
        try {
          return run(*words);
        } catch (const Error& error) {
          std::fprintf(stderr, "fr taskmanager: %s\n", error.what());
          return exit_code::kRefusedInput;
        }
      };
    });

}  // namespace
}  // namespace freshet::tool
