#include "job_master/job_plan.h"

#include <algorithm>

#include "bounds/bounds.h"

namespace freshet::core {

JobPlan::JobPlan(std::string job_graph)
    : bytes_(std::move(job_graph)), graph_(JobGraph::from_bytes(bytes_)), execution_(graph_) {
  check_size_of_job(graph_.name, bytes_.size());
  for (const auto& [key, text] : graph_.settings) {
    configuration_.set_raw(key, text, Origin::main());
  }
  configuration_.validate();
  for (const JobTask& task : graph_.tasks) slots_ = std::max(slots_, task.parallelism);
  for (const JobModule& module : graph_.modules) {
    if (module.kind == ModuleKind::kExecutable) {
      throw InvalidInput("job '" + graph_.name + "' has operators of the program '" + module.name +
                         "', which a cluster can't load: build it as a shared module and run it "
                         "by fr-run");
    }
    if (module.kind == ModuleKind::kShipped) shipped_.push_back(module);
  }
}

std::uint32_t JobPlan::vertex(const std::string& id_or_uid) const {
  for (std::uint32_t v = 0; v < graph_.vertices.size(); ++v) {
    if (graph_.vertices[v].id == id_or_uid || graph_.vertices[v].uid == id_or_uid) return v;
  }
  throw InvalidInput("job '" + graph_.name + "' has no operator '" + id_or_uid + "'");
}

bool JobPlan::collects() const {
  return std::any_of(graph_.vertices.begin(), graph_.vertices.end(),
                     [](const JobVertex& vertex) { return vertex.kind == "collect"; });
}

std::vector<std::uint32_t> JobPlan::worker_of_subtask(
    const std::vector<std::uint32_t>& worker_of_slot) const {
  std::vector<std::uint32_t> workers;
  workers.reserve(execution_.subtasks().size());
  for (const auto& id : execution_.subtasks()) workers.push_back(worker_of_slot.at(id.subtask));
  return workers;
}

}  // namespace freshet::core
