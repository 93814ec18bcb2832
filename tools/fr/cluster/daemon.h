// What the processes of a cluster have in common: settings, a log of their own, signals that end
// them, what they were handed over.
#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "freshet/cluster_bootstrap.h"
#include "freshet/configuration.h"
#include "links/link.h"
#include "process/caught_signals.h"
#include "process/child_processes.h"
#include "process/rolled_log.h"

namespace freshet::tool {
using namespace core;

// The words that every daemon takes.
struct DaemonWords {
  std::string cluster_id;
  std::string configuration_file;
  std::vector<std::string> definitions;
  bool inherited = false;  // what a deployer has handed over stands at descriptor 3

  void add_to(CLI::App& command);
};

// `handed`: the settings that its deployer has handed over (freshet/cluster_bootstrap.h).
Configuration daemon_configuration(const DaemonWords& words, const ClusterSettings& handed);
// A runner's or worker's, which was told all.
Configuration child_configuration(const std::map<std::string, std::string>& settings);
// Those that belong to the cluster, as text, for runners and workers.
std::map<std::string, std::string> settings_of_cluster(const Configuration& configuration);
// Throws InvalidInput unless heartbeat.timeout is above heartbeat.interval.
LinkOptions link_options(const Configuration& configuration);
// jobmanager.bind: tcp://host:port alone, as only tcp sockets have keys. taskmanager.bind: a host
// or an address, as each worker draws a port. Throw InvalidInput, before anything is bound.
std::string job_manager_bind(const Configuration& configuration);
std::string task_manager_bind(const Configuration& configuration);
// jobmanager.host or taskmanager.host: a host or an address, empty if there is none.
std::string told_host(const Configuration& configuration, const ConfigOption<std::string>& option);
// taskmanager.slots, or one for each core of this host.
std::uint32_t task_manager_slots(const Configuration& configuration);
// Of what a daemon starts, whose memory is limited by that option.
ChildProcessesOptions child_options(const Configuration& configuration, const std::string& logs,
                                    const ConfigOption<MemorySize>& memory);
std::int64_t blob_max_idle_ms(const Configuration& configuration);

// Sends this process's log to <folder>/<name>.log, rolled. With `whole`, what it prints otherwise
// goes there, too; else the log also goes to standard error.
std::shared_ptr<RolledLog> open_log(const Configuration& configuration, const std::string& folder,
                                    const std::string& name, bool whole);
// In a runner or a worker, before it has any other thread: what it was handed over. It ends with
// its parent from then on. One that was started as a template makes itself ready, and forks.
std::string take_start();
// Relative paths of user code begin where they do for whoever has submitted it, if this host has
// that folder (application.working-folder); else the log says where. `who_works`: "main works".
void enter_working_folder(const Configuration& configuration, const char* who_works);
// To standard error, which is in somebody's log already.
void log_to_standard_error(const Configuration& configuration);

// What asks this process to end (process/caught_signals.h) calls `first`; a second one ends it at
// once.
class EndSignals {
 public:
  EndSignals();
  ~EndSignals();
  EndSignals(const EndSignals&) = delete;
  EndSignals& operator=(const EndSignals&) = delete;
  void on_first(std::function<void(const std::string& why)> first);  // once
  // Readable once a signal has come.
  int descriptor() const { return CaughtSignals::descriptor(); }
  // Calls nobody any more. May repeat.
  void stop();

 private:
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

// 32 hex digits, new for each process.
std::string new_incarnation();

}  // namespace freshet::tool
