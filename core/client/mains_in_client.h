// What a cluster hears of mains that run in this process, as with execution.main=client.
#pragma once

#include <string>

#include "freshet/api.h"
#include "freshet/future.h"
#include "process/main_end.h"

namespace freshet::core {

// Threads: any. No call blocks. Futures fail as those of a ClusterClient do.
class FRESHET_API MainsInClient {
 public:
  virtual ~MainsInClient();
  // Once for an application, before its first job; a second call with the same ticket is a retry.
  virtual Future<void> begin(const std::string& application_id, const std::string& name,
                             const std::string& ticket) = 0;
  // `end.reason` as main_end_of() has it.
  virtual Future<void> end(const std::string& application_id, int exit_code,
                           const MainEnd& end) = 0;
  // Whether the job manager that answers has no record of what this client has asked before.
  virtual bool has_lost_records() const = 0;
};

}  // namespace freshet::core
