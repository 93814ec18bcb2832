// fr jobmanager: the job manager of a cluster, until the cluster ends.
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "blobs/stored_blobs.h"
#include "client/cluster_node.h"
#include "client/cluster_presence.h"
#include "client/cluster_records.h"
#include "client/deployer_services.h"
#include "cluster/artifact_folders.h"
#include "cluster/daemon.h"
#include "cluster/join_file.h"
#include "command.h"
#include "dispatcher/job_manager.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "high_availability/high_availability.h"
#include "process/child_processes.h"
#include "task/clock.h"

namespace freshet::tool {
namespace {

// An application cluster whose client does not come for the result ends all the same.
constexpr std::int64_t kLingerMs = 1'000;
// One to which no application comes: its deployment was cut short.
constexpr std::int64_t kEmptyMs = 60'000;

struct Words : DaemonWords {
  std::string mode = "session";
};

// The keys of a cluster that was brought up by hand.
void make_keys(const ClusterRecords& records, HandedOver& handed, ClusterRecord& record) {
  const KeyPair own = make_key_pair(), client = make_key_pair();
  handed.secret_key = own.secret_key;
  handed.clients = {client.public_key};
  record.deployer = "standalone";
  record.public_key = own.public_key;
  record.client_key = client.secret_key;
  record.since_ms = SystemClock::instance().wall_ms();
  records.write(record);
}

int run(Words words) {
  const HandedOver given = take_handed_over(words.inherited);
  HandedOver handed = given;
  EndSignals signals;
  const Configuration configuration = daemon_configuration(words, handed);
  const ClusterRecords records(StateFolder::of_this_user());
  remove_all_remains(records);
  const std::string id =
      words.cluster_id.empty() ? configuration.get(options::kClusterId) : words.cluster_id;
  check_cluster_id(id);
  const bool one_application = words.mode == "application";
  if (!one_application && words.mode != "session")
    throw InvalidInput("--mode=" + words.mode + ": must be session or application");
  if (!words.inherited && records.find(id))
    throw InvalidInput("cluster '" + id + "' is there already: " + records.path_of(id).native() +
                       ": choose another --cluster-id");

  const std::string logs = records.folder().make_logs(id);
  const auto log = open_log(configuration, logs, "jobmanager", words.inherited);
  const ClusterPresence presence(records, id);
  ClusterRecord record;
  record.cluster_id = id;
  if (words.inherited) {
    record = records.read(id);
  } else {
    record.details["mode"] = words.mode;
    make_keys(records, handed, record);
  }
  const KeyPair join = make_key_pair();

  ClusterNode node(key_pair_of(handed.secret_key));
  ChildProcesses children(node.control(), {logs, configuration.get(options::kLogMaxSize).bytes()});
  children.add_log(log);
  const std::filesystem::path folder = records.folder().make_run(id);
  make_private_folder(folder / "jobmanager");
  StoredBlobs blobs(folder / "jobmanager");
  ArtifactFolders fetcher(blobs.store());
  RandomIds ids;
  NoElection election;
  NoJobGraphs graphs;
  NoJobResults results;

  JobManagerOptions role;
  role.cluster_id = id;
  role.endpoint = configuration.get(options::kJobmanagerBind);
  role.name = "job manager (pid " + std::to_string(::getpid()) + ")";
  role.process_id = ::getpid();
  role.program = program_fr();
  role.settings = settings_of_cluster(configuration);
  role.links = link_options(configuration);
  role.one_application = one_application;
  role.linger_ms = kLingerMs;

  Promise<std::string> ended;
  const Future<std::string> end = ended.future();
  std::unique_ptr<JobManager> manager;
  const Address address = node.run([&] {
    for (const std::string& client : handed.clients) node.transport().admit(client);
    node.transport().admit(join.public_key);
    manager = std::make_unique<JobManager>(
        JobManagerServices{node.control(), node.transport(), children, blobs, fetcher, ids,
                           election, graphs, results},
        role, [&ended](const std::string& why) { ended.set_value(why); });
    return manager->start();
  });
  write_join_file(folder / "join.json", {id, address, join.secret_key});
  record.endpoint = address.endpoint;
  record.details["jobmanager"] = std::to_string(::getpid());
  records.write(record);
  spdlog::info("the job manager of cluster '{}' listens at {}", id, address.endpoint);

  const auto shut_down = [&](const std::string& why) {
    node.control().post("shut down", [&manager, why] {
      if (manager) manager->shut_down(why);
    });
  };
  signals.on_first(shut_down);
  if (one_application) {
    node.run([&] {
      node.control().after_ms(kEmptyMs, "no application", [&manager] {
        if (manager && manager->dispatcher().applications().empty())
          manager->shut_down("no application came");
      });
    });
  }
  const std::string why = end.get();
  spdlog::info("the job manager of cluster '{}' has ended: {}", id, why);
  node.run([&] { manager.reset(); });
  return kEndedAsAsked;
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
          return kCantStart;
        }
      };
    });

}  // namespace
}  // namespace freshet::tool
