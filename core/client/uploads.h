// Files that a client brings to a cluster, each once: what the cluster has already is not sent.
//
// Threads    upload() from any; the rest on the session's control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/client_session.h"
#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"

namespace freshet::core {

struct ClientFile {
  std::string name;  // plain
  std::string sha256;
  std::uint64_t size = 0;
  // At most so many bytes from that offset on. Throws InvalidInput if it has changed.
  std::function<std::string(std::uint64_t offset, std::size_t at_most)> read;
};

// A file of this host, hashed. Throws InvalidInput if it can't be read.
FRESHET_API ClientFile file_on_disk(const std::string& path);
// A module that this process has loaded; nothing if it has none of that hash.
FRESHET_API std::optional<ClientFile> loaded_module_file(const JobModule& module);

// Completes once the cluster has all of them.
FRESHET_API Future<void> upload(std::shared_ptr<ClientSession> session,
                                std::vector<ClientFile> files);

}  // namespace freshet::core
