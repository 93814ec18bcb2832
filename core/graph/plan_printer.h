// The plan of a job for people and programs: what runs in which task, what is fused, how records
// get from one operator to the next.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"

namespace freshet::core {

// `job` is valid (JobGraph::validate()). Each text ends with a line end.
class FRESHET_API PlanPrinter {
 public:
  explicit PlanPrinter(const JobGraph& job);  // outlives the printer

  // A line per operator, by tasks. With `details` also ids, types, schemas and settings.
  std::string text(bool details = false) const;
  // For Graphviz: a box per task, within it one per fused kernel.
  std::string dot() const;
  // One object. Numbers of 64 bits are hexadecimal texts, secret settings are hidden.
  std::string json() const;

 private:
  std::string inputs_of(std::uint32_t vertex) const;
  std::string details_of(std::uint32_t vertex) const;
  std::string module_name(const OperatorReference& op) const;
  bool is_fused(const JobEdge& edge) const;

  const JobGraph& job_;
  // By vertex: its link, counted over all tasks; the edges that lead to it.
  std::vector<std::uint32_t> link_of_;
  std::vector<std::vector<const JobEdge*>> edges_to_;
};

}  // namespace freshet::core
