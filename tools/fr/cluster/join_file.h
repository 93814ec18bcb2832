// By which a task manager that is started by hand, on this host or another, joins a cluster: a file
// that only its owner reads, run/<id>/join.json of the state folder.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "network/transport.h"

namespace freshet::tool {
using namespace core;

struct JoinFile {
  std::string cluster_id;
  Address job_manager;
  std::string secret_key;  // the task manager's
};

// These throw InvalidInput; the reading ones also if others may read the file.
void write_join_file(const std::filesystem::path& file, const JoinFile& join);
JoinFile read_join_file(const std::filesystem::path& file);

// What a job manager that is started again needs, so that clients and task managers know it:
// run/<id>/jobmanager.keys.
struct ClusterKeys {
  std::string secret_key;            // its own
  std::vector<std::string> clients;  // public keys
  std::string join_key;              // the secret key of task managers
};
inline std::filesystem::path keys_file(const std::filesystem::path& run_folder) {
  return run_folder / "jobmanager.keys";
}
void write_keys(const std::filesystem::path& file, const ClusterKeys& keys);
ClusterKeys read_keys(const std::filesystem::path& file);

}  // namespace freshet::tool
