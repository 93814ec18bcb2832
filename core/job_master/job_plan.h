// What a JobMaster keeps of a job graph while the job can still run.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/options.h"
#include "freshet/plugin/job_graph.h"
#include "graph/execution_graph.h"

namespace freshet::core {

class FRESHET_API JobPlan {
 public:
  // Throws DecodeError or InvalidInput if it can't be run on a cluster.
  explicit JobPlan(std::string job_graph);
  JobPlan(const JobPlan&) = delete;
  JobPlan& operator=(const JobPlan&) = delete;

  const std::string& bytes() const { return bytes_; }
  const JobGraph& graph() const { return graph_; }
  const ExecutionGraph& execution() const { return execution_; }
  const Configuration& configuration() const { return configuration_; }
  // Subtask s of every task shares slot s.
  std::uint32_t slots() const { return slots_; }
  const std::vector<JobModule>& shipped() const { return shipped_; }
  // Place of the collecting vertex of that id or uid. Throws InvalidInput.
  std::uint32_t vertex(const std::string& id_or_uid) const;
  // Whether clients read rows from its workers.
  bool collects() const;
  // By place in ExecutionGraph::subtasks(), from the worker of each slot.
  std::vector<std::uint32_t> worker_of_subtask(
      const std::vector<std::uint32_t>& worker_of_slot) const;

 private:
  const std::string bytes_;
  const JobGraph graph_;
  const ExecutionGraph execution_;
  Configuration configuration_;
  std::uint32_t slots_ = 1;
  std::vector<JobModule> shipped_;
};

}  // namespace freshet::core
