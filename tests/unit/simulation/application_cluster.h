// A seed's worth of the life of a cluster that holds one application: it comes, faults come, it
// ends by itself or is canceled, and the cluster ends with it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "simulation/simulated_cluster.h"
#include "workload.h"

namespace freshet::testing {
using namespace core;

class ApplicationClusterWorkload {
 public:
  explicit ApplicationClusterWorkload(WorkloadOptions options);
  ~ApplicationClusterWorkload();
  // The whole of it. What did not hold, one line each.
  std::vector<std::string> run();

  std::uint64_t trace_hash() const { return cluster_.trace_hash(); }
  std::uint64_t steps() const { return cluster_.steps(); }
  const std::map<std::string, int>& ends() const { return ends_; }
  const RarePathCounts& rare_paths() { return cluster_.rare_paths().counts(); }

 private:
  void submit();
  void act();
  void fault();
  void let_task_managers_come_back();
  void look();
  bool has_ended() const;
  void check_end();
  void check_told();

  const WorkloadOptions options_;
  SeededRandom random_;
  std::int64_t linger_ms_ = 0;
  SimulatedCluster cluster_;
  // Waits for the end, whatever happens.
  RpcClusterClient& patient_;
  // Comes with the same application, and may disappear.
  SimulatedCluster::Client* leaver_;
  std::string id_;
  Future<std::string> accepted_, accepted_of_leaver_;
  Future<ApplicationInfo> end_;
  std::map<std::uint32_t, std::int64_t> task_managers_back_;
  ApplicationInfo last_;       // of its record
  std::int64_t ended_ms_ = 0;  // when that was terminal first
  std::int64_t cluster_ended_ms_ = 0;
  bool crashed_ = false;  // the job manager
  std::map<std::string, int> ends_;
};

}  // namespace freshet::testing
