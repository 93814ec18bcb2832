#include "client/cluster_connection.h"

namespace freshet {

std::unique_ptr<ClusterClient> connect_to_cluster(const ClusterRecord& record, std::int64_t) {
  throw ClusterUnreachable("cluster '" + record.cluster_id + "' at " + record.endpoint +
                           " can't be reached: this build has no client of clusters");
}

}  // namespace freshet
