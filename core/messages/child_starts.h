// What a runner and a worker are told by who starts them, over descriptor 3: `fr runner` and
// `fr worker` take nothing from their command lines.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "messages/cluster_messages.h"
#include "process/process_spawner.h"

namespace freshet::core {

struct RunnerStart {
  std::string cluster_id;
  Address job_manager;
  std::string secret_key;  // its own
  std::string application_id;
  std::string name;                  // for people
  std::string folder;                // holds the files under their plain names
  std::string main;                  // plain name of the module with the main
  std::vector<std::string> shipped;  // plain names
  std::vector<std::string> arguments;
  std::map<std::string, std::string> settings;  // the cluster's, then the application's
  FRESHET_MESSAGE_FIELDS(cluster_id, job_manager, secret_key, application_id, name, folder, main,
                         shipped, arguments, settings);
};

struct WorkerStart {
  std::string cluster_id;
  Address job_manager;
  std::string secret_key;  // its own
  WorkerId worker;
  std::string job_name;
  std::uint32_t slots = 0;
  bool one_host = false;
  std::string socket_folder;                    // of data sockets, if one_host
  std::string host;                             // where it listens for data otherwise
  std::string told_host;                        // what others are told instead, if not empty
  std::map<std::string, std::string> modules;   // path of the local copy by sha256
  std::map<std::string, std::string> settings;  // the cluster's, then the job's
  FRESHET_MESSAGE_FIELDS(cluster_id, job_manager, secret_key, worker, job_name, slots, one_host,
                         socket_folder, host, told_host, modules, settings);
};

// The process itself; `program` is the absolute path of fr. Its log is named
// "main-<application id>", or "worker-<WorkerId::text()>".
FRESHET_API ProcessSpec runner_process(const std::string& program, const RunnerStart& start);
FRESHET_API ProcessSpec worker_process(const std::string& program, const WorkerStart& start);

// In the process. Throw InvalidInput if the bytes are none.
FRESHET_API RunnerStart read_runner_start(const std::string& bytes);
FRESHET_API WorkerStart read_worker_start(const std::string& bytes);

}  // namespace freshet::core
