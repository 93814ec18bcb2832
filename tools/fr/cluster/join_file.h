// By which a task manager that is started by hand, on this host or another, joins a cluster: a file
// that only its owner reads, run/<id>/join.json of the state folder.
#pragma once

#include <filesystem>
#include <string>

#include "rpc/transport.h"

namespace freshet::tool {

struct JoinFile {
  std::string cluster_id;
  Address job_manager;
  std::string secret_key;  // the task manager's
};

// Both throw InvalidInput; read_join_file() also if others may read the file.
void write_join_file(const std::filesystem::path& file, const JoinFile& join);
JoinFile read_join_file(const std::filesystem::path& file);

}  // namespace freshet::tool
