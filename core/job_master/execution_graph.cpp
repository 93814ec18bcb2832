#include "job_master/execution_graph.h"

#include <numeric>

namespace freshet {

ExecutionGraph::ExecutionGraph(const JobGraph& graph)
    : graph_(graph), task_of_vertex_(graph.vertices.size()) {
  for (std::uint32_t t = 0; t < graph.tasks.size(); ++t) {
    first_.push_back(static_cast<std::uint32_t>(subtasks_.size()));
    for (std::uint32_t s = 0; s < graph.tasks[t].parallelism; ++s) subtasks_.push_back({t, s});
    for (const JobLink& link : graph.tasks[t].links) {
      for (const std::uint32_t vertex : link.vertices) task_of_vertex_[vertex] = t;
    }
  }
  for (const JobEdge& edge : graph.edges) {
    if (edge.chained) continue;
    for (std::uint32_t s = 0; s < graph.vertices[edge.from].parallelism; ++s) {
      channel_count_ += targets(edge, s).size();
    }
  }
}

std::vector<std::uint32_t> ExecutionGraph::targets(const JobEdge& edge, std::uint32_t from) const {
  const std::uint64_t writers = graph_.vertices[edge.from].parallelism;
  const std::uint64_t readers = graph_.vertices[edge.to].parallelism;
  std::uint64_t begin = 0;
  std::uint64_t end = readers;
  switch (edge.partitioning) {
    case Partitioning::kForward:
      begin = from;
      end = begin + 1;
      break;
    case Partitioning::kGlobal:
      end = 1;
      break;
    case Partitioning::kRescale:
      begin = from * readers / writers;
      end = writers >= readers ? begin + 1 : (from + 1) * readers / writers;
      break;
    case Partitioning::kHash:
    case Partitioning::kRebalance:
    case Partitioning::kShuffle:
    case Partitioning::kBroadcast:
      break;
  }
  std::vector<std::uint32_t> targets(end - begin);
  std::iota(targets.begin(), targets.end(), static_cast<std::uint32_t>(begin));
  return targets;
}

}  // namespace freshet
