// A ClusterClient over links of this very process: its own control thread, network thread and key.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <memory>

#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "freshet/cluster_deployer.h"

namespace freshet {

// Blocks until the job manager of the record has answered. Throws ClusterUnreachable with the
// endpoint after `patience_ms`.
FRESHET_API std::unique_ptr<ClusterClient> connect_to_cluster(const ClusterRecord& record,
                                                              std::int64_t patience_ms);

}  // namespace freshet
