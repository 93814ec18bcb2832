// fr cluster start | list | status | resize | stop: session clusters, and what there is of
// clusters.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "backend/this_process.h"
#include "cluster/chosen_deployer.h"
#include "cluster/client_words.h"
#include "exit_code/exit_code.h"
#include "freshet/cluster_bootstrap.h"
#include "freshet/error.h"
#include "freshet/target.h"
#include "process/started_process.h"
#include "selection/deployer_selection.h"
#include "shown_text.h"
#include "status_json/status_json.h"

namespace freshet::tool {
using namespace core;
namespace {

using Json = nlohmann::ordered_json;

const Target kStandaloneSession{"standalone", true};

struct StartWords : ClientWords {
  std::string target = kStandaloneSession.text();
  std::string task_managers, slots;
};

struct ResizeWords : ClientWords {
  std::uint32_t task_managers = 0;
};

// How the logs of a cluster's task managers end, a line each.
std::string last_words_of_task_managers(const std::string& cluster_id) {
  const std::filesystem::path logs =
      deployer_services_of_this_process().cluster_records().folder().logs(cluster_id);
  std::string text;
  std::error_code none;
  for (const auto& log : std::filesystem::directory_iterator(logs, none)) {
    const std::string name = log.path().stem();
    if (log.path().extension() != ".log" || name.rfind("taskmanager", 0) != 0) continue;
    std::ifstream file(log.path());
    std::string last;
    for (std::string line; std::getline(file, line);) last = line;
    if (!last.empty()) text += "\n  " + name + ": " + shown_text(last, "  ");
  }
  return text + "\n  their logs are in " + logs.native();
}

struct TaskManagersCantStart : InvalidInput {
  using InvalidInput::InvalidInput;
};

// How many task managers were deployed, where that is known before anybody is asked. Those of the
// standalone deployer may have died before the first look; for others the option need not hold.
std::size_t known_to_be_deployed(const Configuration& configuration) {
  if (Target::of(configuration) != kStandaloneSession) return 0;
  return static_cast<std::size_t>(configuration.get(options::kStandaloneTaskManagers));
}

// Waits until those task managers have registered that the deployer keeps right after the
// deployment. Where some have died before that, the cluster is ended. A deployer that does not tell
// which it keeps is believed.
void await_task_managers(ChosenDeployer& deployer, ClusterClient& client, std::size_t deployed) {
  using Names = std::vector<std::string>;
  constexpr std::int64_t kPatienceMs = 30'000, kPauseMs = 10;
  const std::string id = client.cluster_id();
  const auto kept = [&]() -> std::optional<Names> {
    try {
      return deployer->task_managers(id).get();
    } catch (const InvalidInput&) {
      return std::nullopt;
    }
  };
  std::optional<Names> living = kept();
  if (!living) return;
  Names awaited = *living;
  const std::size_t wanted = std::max(deployed, awaited.size());
  const std::size_t gone_before = wanted - awaited.size();
  for (std::int64_t waited = 0; waited < kPatienceMs; waited += kPauseMs) {
    for (const TaskManagerInfo& each : client.status().get().task_managers)
      std::erase(awaited, each.id);
    const auto gone =
        gone_before + static_cast<std::size_t>(std::count_if(
                          awaited.begin(), awaited.end(), [&](const std::string& name) {
                            return std::find(living->begin(), living->end(), name) == living->end();
                          }));
    if (gone > 0) {
      const std::string words = last_words_of_task_managers(id);
      deployer->kill(id).get();
      throw TaskManagersCantStart("cluster '" + id + "' is ended again: " + std::to_string(gone) +
                                  " of its " + std::to_string(wanted) +
                                  " task managers could not start:" + words);
    }
    if (awaited.empty()) return;
    ::usleep(kPauseMs * 1'000);
    living = kept();
    if (!living) return;
  }
  std::fprintf(
      stderr,
      "fr: warning: cluster '%s' runs, but not all of its %zu task managers have registered "
      "within %lld ms: 'fr cluster status' shows those that have%s\n",
      id.c_str(), wanted, static_cast<long long>(kPatienceMs),
      last_words_of_task_managers(id).c_str());
}

int start(const StartWords& words) {
  Configuration configuration = words.load();
  configuration.set(options::kExecutionTarget, words.target, Origin::command_line("--target"));
  const auto set = [&](const std::string& key, const std::string& text, const char* flag) {
    if (!text.empty()) configuration.set_raw(key, text, Origin::command_line(flag));
  };
  set(options::kStandaloneTaskManagers.key(), words.task_managers, "--task-managers");
  set(options::kTaskmanagerSlots.key(), words.slots, "--slots");
  configuration.validate();
  if (const Target target = Target::of(configuration); !target.is_session)
    throw InvalidInput("--target=" + target.text() +
                       " is not a session, which 'fr cluster start' " +
                       "brings up: give --target=" + target.session().text() + "; 'fr-run APP " +
                       "--target=" + target.text() + "' brings up a cluster for one application");
  remove_all_remains(deployer_services_of_this_process().cluster_records());
  ChosenDeployer deployer(configuration);
  const auto client = deployer->deploy_session(configuration).get();
  try {
    await_task_managers(deployer, *client, known_to_be_deployed(configuration));
  } catch (const TaskManagersCantStart& error) {
    std::fprintf(stderr, "fr: %s\n", error.what());
    return exit_code::kRefusedInput;
  }
  if (words.json) {
    std::puts(status_json(client->status().get()).c_str());
  } else {
    std::printf("%s\n", client->cluster_id().c_str());
  }
  return exit_code::kDone;
}

// As far as this host can tell without asking it.
const char* state_of(const ClusterRecords& records, const ClusterRecord& record) {
  if (record.endpoint.empty()) return "starting";
  const auto process = static_cast<pid_t>(ClusterFacts::job_manager(record));
  if (process == 0 || !is_present(records.folder(), record.cluster_id)) return "elsewhere";
  return has_ended(process) ? "without-job-manager" : "running";
}

int list(const ClientWords& words) {
  static_cast<void>(words.load());
  const ClusterRecords& records = deployer_services_of_this_process().cluster_records();
  remove_all_remains(records);
  Json all = Json::array();
  for (const ClusterRecord& record : records.all()) {
    const auto mode = ClusterFacts::mode(record);
    all.push_back({{"id", record.cluster_id},
                   {"deployer", record.deployer},
                   {"mode", mode ? name_of(*mode) : ""},
                   {"state", state_of(records, record)},
                   {"endpoint", record.endpoint},
                   {"since_ms", record.since_ms}});
  }
  const std::vector<std::string> left_out = records.unreadable();
  for (const std::string& trouble : left_out)
    std::fprintf(stderr, "fr: warning: a cluster is left out: %s\n", trouble.c_str());
  if (words.json) {
    print_json(all);
    return exit_code::kDone;
  }
  for (const Json& each : all)
    std::printf("%s  %s  %s  %s  %s\n", each["id"].get<std::string>().c_str(),
                each["deployer"].get<std::string>().c_str(),
                each["mode"].get<std::string>().c_str(), each["state"].get<std::string>().c_str(),
                each["endpoint"].get<std::string>().c_str());
  if (all.empty() && left_out.empty())
    std::fprintf(stderr, "fr: no cluster is known in %s\n", records.folder().clusters().c_str());
  return exit_code::kDone;
}

int status(const ClientWords& words) {
  const auto client = words.connect();
  const ClusterInfo info = client->status().get();
  if (words.json) {
    std::puts(status_json(info).c_str());
    return exit_code::kDone;
  }
  std::printf("cluster %s, version %s, job manager: process %lld\n", info.id.c_str(),
              info.version.c_str(), static_cast<long long>(info.process_id));
  for (const TaskManagerInfo& each : info.task_managers)
    std::printf("  %s on %s, process %lld: %u of %u slots free, %zu workers\n", each.id.c_str(),
                each.host.c_str(), static_cast<long long>(each.process_id), each.free_slots,
                each.slots, each.worker_processes.size());
  if (info.task_managers.empty()) std::printf("  no task manager\n");
  return exit_code::kDone;
}

// Those that the deployer keeps, once all of them have registered. Throws InvalidInput that names
// those that do not.
std::vector<std::string> registered(ChosenDeployer& deployer, ClusterClient& client) {
  constexpr std::int64_t kPatienceMs = 30'000, kPauseMs = 10;
  std::string missing;
  for (std::int64_t waited = 0; waited < kPatienceMs; waited += kPauseMs) {
    std::vector<std::string> names = deployer->task_managers(client.cluster_id()).get();
    const ClusterInfo info = client.status().get();
    missing.clear();
    for (const std::string& name : names) {
      if (std::none_of(info.task_managers.begin(), info.task_managers.end(),
                       [&](const TaskManagerInfo& each) { return each.id == name; }))
        missing += (missing.empty() ? "'" : ", '") + name + "'";
    }
    if (missing.empty()) return names;
    ::usleep(kPauseMs * 1'000);
  }
  throw InvalidInput("cluster '" + client.cluster_id() + "': " + missing +
                     " did not register within " + std::to_string(kPatienceMs) +
                     " ms:" + last_words_of_task_managers(client.cluster_id()));
}

// Before anything is changed: without its deployer, what that has brought up could not be taken
// away.
std::unique_ptr<ChosenDeployer> deployer_of(const ClusterRecord& record,
                                            const Configuration& configuration,
                                            const std::string& to_do_what) {
  const std::string text = "cluster '" + record.cluster_id +
                           "' is left as it is, because its deployer '" + record.deployer +
                           "' is needed to " + to_do_what + " it";
  try {
    return std::make_unique<ChosenDeployer>(for_deployer(record.deployer, configuration));
  } catch (const NoDeployer& none) {  // what was found, and where, follows its first line
    const std::string words = none.what();
    throw InvalidInput(text + ", and its plugin is not found: install it, or give its folder by " +
                       "--plugin-dir" + words.substr(std::min(words.find('\n'), words.size())));
  } catch (const InvalidInput& refused) {
    throw InvalidInput(text + ": " + refused.what());
  }
}

int resize(const ResizeWords& words) {
  const Configuration configuration = words.load();
  const ClusterRecord record = find_cluster(configuration, !words.wait.empty());
  const auto client = connect_to(record, configuration);
  const auto chosen = deployer_of(record, configuration, "resize");
  ChosenDeployer& deployer = *chosen;
  try {
    static_cast<void>(deployer->resize(record.cluster_id, words.task_managers).get());
  } catch (const InvalidInput& refused) {
    throw InvalidInput("deployer '" + record.deployer + "': " + refused.what());
  }
  const std::vector<std::string> names = registered(deployer, *client);
  if (names.size() != words.task_managers)
    throw InvalidInput("cluster '" + record.cluster_id + "' has " + std::to_string(names.size()) +
                       " task managers now, not " + std::to_string(words.task_managers) +
                       ": some have died, or somebody else has resized it:" +
                       last_words_of_task_managers(record.cluster_id));
  if (words.json) {
    print_json({{"id", record.cluster_id}, {"task_managers", names}});
    return exit_code::kDone;
  }
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? ": " : ", ") + name;
  std::printf("cluster '%s' has %zu task manager%s%s\n", record.cluster_id.c_str(), names.size(),
              names.size() == 1 ? "" : "s", list.c_str());
  return exit_code::kDone;
}

// How long a cluster may take to end: what runs, and then its processes, which see to it that those
// who wait hear of it.
constexpr std::int64_t kPatienceMs = 30'000;

// Why it did not end in order; empty: it did, perhaps since somebody else has stopped it.
std::string shut_down(const ClusterRecord& record, const Configuration& configuration) {
  constexpr std::int64_t kLookMs = 50;
  const ClusterRecords& records = deployer_services_of_this_process().cluster_records();
  try {
    const auto client = connect_to(record, configuration);
    const Future<void> done = client->shut_down();
    for (std::int64_t waited = 0; !done.wait_for(kLookMs); waited += kLookMs) {
      if (has_ended(records, record)) return "";
      if (waited >= kPatienceMs)
        return "it did not end within " + std::to_string(kPatienceMs / 1'000) + " s";
    }
    done.get();
    return "";
  } catch (const ClusterUnreachable& error) {
    return has_ended(records, record) ? "" : error.what();
  }
}

// Its last process lets go of the presence a moment before it exits, with a code that whoever
// started it may wait for.
bool processes_have_ended(const ClusterRecords& records, const ClusterRecord& record) {
  if (is_present(records.folder(), record.cluster_id)) return false;
  const auto process = static_cast<pid_t>(ClusterFacts::job_manager(record));
  return process == 0 || has_ended(process);
}

int stop(const ClientWords& words) {
  const Configuration configuration = words.load();
  const ClusterRecord record = find_cluster(configuration, !words.wait.empty());
  const auto deployer = deployer_of(record, configuration, "end");
  const auto& records = deployer_services_of_this_process().cluster_records();
  const bool is_here = is_present(records.folder(), record.cluster_id);
  const std::string trouble = shut_down(record, configuration);
  // What does not end by itself is killed, whatever state it is in.
  constexpr std::int64_t kLookMs = 10;
  for (std::int64_t waited = 0;
       is_here && trouble.empty() && waited < kPatienceMs && !processes_have_ended(records, record);
       waited += kLookMs)
    ::usleep(kLookMs * 1'000);
  // Its last process may have removed the record, by which the deployer knows what was there.
  if (records.put_back(record)) (*deployer)->kill(record.cluster_id).get();
  if (words.json) {
    print_json({{"id", record.cluster_id}, {"killed", !trouble.empty()}});
  } else if (!trouble.empty()) {
    std::printf("cluster '%s' was killed: %s\n", record.cluster_id.c_str(), trouble.c_str());
  } else {
    std::printf("cluster '%s' has ended\n", record.cluster_id.c_str());
  }
  return exit_code::kDone;
}

const Command kCluster("cluster", "Start, list, look at and stop clusters.", [](CLI::App& command) {
  const auto run = std::make_shared<Command::Run>();
  command.require_subcommand(1);
  const auto add = [&](const char* name, const char* text, int (*function)(const ClientWords&)) {
    CLI::App* const sub = command.add_subcommand(name, text);
    const auto words = std::make_shared<ClientWords>();
    words->add_to(*sub);
    sub->callback(
        [run, words, function] { *run = [words, function] { return function(*words); }; });
  };
  add("list", "The clusters of this user.", list);
  add("status", "A cluster and its task managers.", status);
  add("stop", "Cancel what runs and end every process of a cluster.", stop);
  CLI::App* const sub =
      command.add_subcommand("start", "Bring up a session cluster; prints its id.");
  const auto words = std::make_shared<StartWords>();
  words->add_to(*sub);
  sub->add_option("--target", words->target, "which deployer (execution.target)");
  sub->add_option("--task-managers", words->task_managers, "standalone.task-managers");
  sub->add_option("--slots", words->slots, "of each task manager (taskmanager.slots)");
  sub->callback([run, words] { *run = [words] { return start(*words); }; });
  CLI::App* const resizing = command.add_subcommand(
      "resize", "Start or end task managers of a cluster, by its deployer; busy ones stay.");
  const auto size = std::make_shared<ResizeWords>();
  size->add_to(*resizing);
  resizing->add_option("task-managers", size->task_managers, "how many its deployer shall run")
      ->required()
      ->check(CLI::Range(0, 1024));
  resizing->callback([run, size] { *run = [size] { return resize(*size); }; });
  return [run] { return with_cluster(*run); };
});

}  // namespace
}  // namespace freshet::tool
