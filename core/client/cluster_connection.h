// A ClusterClient with all that it needs in this process: its own control thread, network thread
// and key.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "client/rpc_cluster_client.h"
#include "clock/clock.h"
#include "freshet/api.h"
#include "links/link.h"

namespace freshet::core {

struct ClusterConnection {
  std::string cluster_id;
  // Where the job manager is: asked for each time that it is looked for. An empty endpoint: not
  // known.
  std::function<Address()> job_manager;
  std::string secret_key;  // with which it enters
  std::int64_t patience_ms = 5'000;
  Role role = Role::kClient;
  std::string name;  // for people; empty: "client (pid 4711)"
  bool applications_end_with_it = false;
  bool keeps_jobs = false;  // as ClientSessionOptions has it
  // Whether the cluster is known to have ended: asked while the first answer is waited for.
  std::function<bool()> has_ended = [] { return false; };
};

// Blocks until the job manager has answered. Throws ClusterUnreachable, at once if the cluster has
// ended. `clock` outlives the client.
FRESHET_API std::unique_ptr<RpcClusterClient> connect_to_cluster(
    const Clock& clock, const ClusterConnection& connection);

}  // namespace freshet::core
