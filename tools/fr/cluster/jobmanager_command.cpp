// fr jobmanager: the job manager of a cluster, until the cluster ends.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include "blobs/stored_blobs.h"
#include "client/cluster_node.h"
#include "clock/clock.h"
#include "cluster/daemon.h"
#include "cluster/deployer_supply.h"
#include "cluster/join_file.h"
#include "command.h"
#include "dispatcher/job_manager.h"
#include "exit_code/exit_code.h"
#include "fetching/url_fetcher.h"
#include "freshet/cluster_bootstrap.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "host/cluster_presence.h"
#include "host/cluster_records.h"
#include "host/deployer_services.h"
#include "posix/descriptor_limit.h"
#include "process/child_processes.h"
#include "process/started_process.h"
#include "selection/high_availability_selection.h"

namespace freshet::tool {
using namespace core;
namespace {

// An application cluster whose client does not come for the result ends all the same.
constexpr std::int64_t kLingerMs = 1'000;
// One to which no application comes: its deployment was cut short.
constexpr std::int64_t kEmptyMs = 60'000;

struct Words : DaemonWords {
  std::string mode = "session";
};

bool is_alive(const ClusterRecord& record) {
  const auto process = static_cast<pid_t>(ClusterFacts::job_manager(record));
  return process != 0 && !has_ended(process);
}

// Of a cluster that is brought up by hand: a new one, or one whose job manager has ended while its
// task managers wait for another. With high availability also one whose job manager lives: this one
// stands by, or leads when that one does no more.
ClusterRecord record_by_hand(const ClusterRecords& records, const std::string& id, ClusterMode mode,
                             bool may_stand_by, const ClusterSettings& settings,
                             ClusterKeys& keys) {
  const std::filesystem::path file = keys_file(records.folder().run(id));
  if (auto known = records.find(id)) {
    if ((is_alive(*known) && !may_stand_by) || !std::filesystem::exists(file))
      throw InvalidInput("cluster '" + id + "' is there already: " + records.path_of(id).native() +
                         ": choose another --cluster-id");
    keys = read_keys(file);
    return *std::move(known);
  }
  const KeyPair own = make_key_pair(), client = make_key_pair();
  keys = {own.secret_key, {client.public_key}, make_key_pair().secret_key};
  ClusterRecord record;
  record.cluster_id = id;
  record.deployer = "standalone";
  record.public_key = own.public_key;
  record.client_key = client.secret_key;
  record.since_ms = records.clock().wall_ms();
  ClusterFacts::set_mode(record, mode);
  ClusterFacts::set_settings(record, settings);
  records.write(record);
  return record;
}

RecordLimits record_limits(const Configuration& configuration) {
  RecordLimits limits;
  limits.applications =
      static_cast<std::size_t>(configuration.get(options::kJobmanagerRecordsMaxApplications));
  limits.jobs = static_cast<std::size_t>(configuration.get(options::kJobmanagerRecordsMaxJobs));
  limits.age_ms = std::min(configuration.get(options::kJobmanagerRecordsMaxAge), days(36'500)).ms();
  return limits;
}

OnDemandOptions on_demand(const Configuration& configuration) {
  constexpr auto kLongest = days(36'500);
  const auto at_most = [&](const ConfigOption<Duration>& option) {
    return std::min(configuration.get(option), kLongest).ms();
  };
  OnDemandOptions demand;
  demand.most =
      static_cast<std::uint32_t>(configuration.get(options::kResourceManagerMaxTaskManagers));
  demand.slots = task_manager_slots(configuration);
  demand.idle_ms = at_most(options::kResourceManagerIdleTimeout);
  demand.start_ms = at_most(options::kResourceManagerStartTimeout);
  return demand;
}

int run(Words words) {
  raise_descriptor_limit();
  JobManagerHandOver handed;
  if (words.inherited) handed = JobManagerHandOver::from_text(take_inherited());
  EndSignals signals;
  const Configuration configuration = daemon_configuration(words, handed.settings);
  const std::string bind = job_manager_bind(configuration);
  static_cast<void>(task_manager_bind(configuration));
  const LinkOptions links = link_options(configuration);
  const ClusterRecords records(SystemClock::instance(), StateFolder::of_this_user());
  remove_all_remains(records);
  const std::string id =
      words.cluster_id.empty() ? configuration.get(options::kClusterId) : words.cluster_id;
  check_cluster_id(id);
  const auto mode = cluster_mode_of(words.mode);
  if (!mode) throw InvalidInput("--mode=" + words.mode + ": must be session or application");
  const bool one_application = mode == ClusterMode::kApplication;

  const std::string logs = records.folder().make_logs(id);
  const auto log = open_log(configuration, logs, "jobmanager", words.inherited);
  // Before anything is there that would have to be taken away again.
  std::vector<std::string> skipped;
  auto high_availability = make_high_availability(configuration, id, skipped);
  for (const std::string& warning : skipped) spdlog::warn("{}", warning);
  const ClusterPresence presence(records, id);
  std::optional<ServingJobManager> serving;
  if (!has_high_availability(configuration)) serving.emplace(records, id);
  ClusterKeys keys{handed.secret_key, handed.clients, make_key_pair().secret_key};
  ClusterRecord record =
      words.inherited ? records.read(id)
                      : record_by_hand(records, id, *mode, has_high_availability(configuration),
                                       settings_of_cluster(configuration), keys);
  const std::filesystem::path folder = records.folder().make_run(id);
  write_keys(keys_file(folder), keys);

  std::unique_ptr<JobManager> manager;  // outlives what is posted to the node
  ClusterNode node(SystemClock::instance(), key_pair_of(keys.secret_key));
  ChildProcesses children(node.control(),
                          child_options(configuration, logs, options::kJobmanagerMemoryRunner));
  children.add_log(log);
  make_private_folder(folder / "jobmanager");
  StoredBlobs blobs(folder / "jobmanager");
  UrlFetcher fetcher(SystemClock::instance(), blobs.store(), folder / "jobmanager" / "fetched",
                     configuration);
  RandomIds ids;
  DeployerSupply supply(node.control(), configuration, record.deployer, id);

  JobManagerOptions role;
  role.cluster_id = id;
  role.endpoint = bind;
  role.told_host = told_host(configuration, options::kJobmanagerHost);
  role.name = "job manager (pid " + std::to_string(::getpid()) + ")";
  role.process_id = ::getpid();
  role.program = program_fr();
  role.settings = settings_of_cluster(configuration);
  role.links = links;
  role.one_application = one_application;
  role.linger_ms = kLingerMs;
  role.records = record_limits(configuration);
  role.client_grace_ms =
      std::min(configuration.get(options::kJobmanagerClientGrace), days(36'500)).ms();
  role.on_demand = on_demand(configuration);
  role.blob_max_idle_ms = blob_max_idle_ms(configuration);

  Promise<std::string> ended;
  const Future<std::string> end = ended.future();
  // Its address once it leads; nothing if it ends without.
  Promise<std::optional<Address>> leads;
  const Future<std::optional<Address>> lead = leads.future();
  node.run([&] {
    for (const std::string& client : keys.clients) {
      node.transport().admit(client, Role::kClient);
    }
    node.transport().admit(key_pair_of(keys.join_key).public_key, Role::kTaskManager);
    manager = std::make_unique<JobManager>(
        JobManagerServices{node.control(), node.transport(), children, blobs, fetcher, ids,
                           &supply},
        std::move(high_availability), role, [&](const std::string& why) {
          leads.set_value(std::nullopt);
          ended.set_value(why);
        });
    manager->start([&](const Address& address) {
      leads.set_value(address);
      if (!one_application) return;
      node.control().after_ms(kEmptyMs, "no application", [&manager] {
        if (manager && manager->dispatcher().applications().empty())
          manager->shut_down("no application came");
      });
    });
  });
  signals.on_first([&](const std::string& why) {
    node.control().post("end", [&manager, why, hands_over = has_high_availability(configuration)] {
      if (manager && hands_over) {
        manager->hand_over(why);
      } else if (manager) {
        manager->shut_down(why);
      }
    });
  });
  if (const std::optional<Address> address = lead.get()) {
    write_join_file(folder / "join.json", {id, *address, keys.join_key});
    record.endpoint = address->endpoint;
    ClusterFacts::set_job_manager(record, ::getpid());
    if (has_high_availability(configuration))
      ClusterFacts::set_high_availability(record,
                                          configuration.get(options::kHighAvailabilityType));
    records.write(record);
  }
  const std::string why = end.get();
  spdlog::info("the job manager of cluster '{}' has ended: {}", id, why);
  signals.stop();
  supply.stop();  // while the job manager answers what a deployer asks of it
  const bool leads_no_more = node.run([&] {
    const bool gives_way = manager->leads_no_more();
    manager.reset();
    return gives_way;
  });
  return leads_no_more ? exit_code::kLostItsCluster : exit_code::kDone;
}

const Command kJobManager(
    "jobmanager", "Run the job manager of a cluster, until the cluster ends.",
    [](CLI::App& command) {
      const auto words = std::make_shared<Words>();
      words->add_to(command);
      command.add_option("--mode", words->mode,
                         "session: takes applications until it is shut down; application: ends "
                         "with the one that it gets");
      return [words]() -> int {
        try {
          return run(*words);
        } catch (const Error& error) {
          std::fprintf(stderr, "fr jobmanager: %s\n", error.what());
          return exit_code::kRefusedInput;
        }
      };
    });

}  // namespace
}  // namespace freshet::tool
