// Which processes of a cluster live on this host, and who puts the light out: each holds a lock on
// run/<id>/alive, which the kernel takes from it however it ends. The last one to leave removes
// the cluster's folders and record; what a cluster has left of which all were killed at once, the
// next one that looks removes.
//
// Threads    Any.
#pragma once

#include <string>

#include "freshet/api.h"
#include "host/cluster_records.h"
#include "posix/descriptor.h"

namespace freshet::core {

class FRESHET_API ClusterPresence {
 public:
  // Makes the cluster's folder. Throws InvalidInput.
  ClusterPresence(const ClusterRecords& records, std::string cluster_id);
  // Removes everything but logs if nobody else is there.
  ~ClusterPresence();
  ClusterPresence(const ClusterPresence&) = delete;
  ClusterPresence& operator=(const ClusterPresence&) = delete;

 private:
  const ClusterRecords records_;
  const std::string id_;
  int lock_ = -1;
};

// That one job manager of a cluster serves, where no high availability says which. The kernel takes
// it from a process however that ends. The process is present meanwhile (ClusterPresence).
class FRESHET_API ServingJobManager {
 public:
  // Waits a second for one that is ending. Throws InvalidInput: another one serves.
  ServingJobManager(const ClusterRecords& records, const std::string& cluster_id);

 private:
  Descriptor lock_;
};

// Whether a process of it lives on this host.
FRESHET_API bool is_present(const StateFolder& folder, const std::string& cluster_id);
// Removes what a cluster has left on this host unless somebody lives there; its record, too. False:
// somebody does.
FRESHET_API bool remove_remains(const ClusterRecords& records, const std::string& cluster_id);
// Those of all clusters that were killed, or whose deployment was.
FRESHET_API void remove_all_remains(const ClusterRecords& records);

}  // namespace freshet::core
