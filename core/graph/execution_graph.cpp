#include "graph/execution_graph.h"

#include <algorithm>
#include <numeric>
#include <string>

#include "freshet/error.h"

namespace freshet::core {

ExecutionGraph::ExecutionGraph(const JobGraph& graph)
    : graph_(graph), task_of_vertex_(graph.vertices.size()) {
  count();
  for (std::uint32_t t = 0; t < graph.tasks.size(); ++t) {
    first_.push_back(static_cast<std::uint32_t>(subtasks_.size()));
    for (std::uint32_t s = 0; s < graph.tasks[t].parallelism; ++s) subtasks_.push_back({t, s});
    for (const JobLink& link : graph.tasks[t].links) {
      for (const std::uint32_t vertex : link.vertices) task_of_vertex_[vertex] = t;
    }
  }
}

// Arithmetically: nothing is made of a graph that is too large.
void ExecutionGraph::count() {
  std::uint64_t subtasks = 0;
  const JobTask* largest = nullptr;
  for (const JobTask& task : graph_.tasks) {
    subtasks += task.parallelism;
    if (!largest || task.parallelism > largest->parallelism) largest = &task;
  }
  if (subtasks > kMostSubtasks) {
    const JobVertex& vertex = graph_.vertices[largest->links.front().vertices.front()];
    throw InvalidInput("job '" + graph_.name + "' has " + std::to_string(subtasks) +
                       " subtasks, the limit is " + std::to_string(kMostSubtasks) + ": '" +
                       vertex.name + "' alone has " + std::to_string(largest->parallelism) +
                       ": set a lower parallelism (parallelism.default, set_parallelism())");
  }
  std::uint64_t channels = 0;
  const JobEdge* widest = nullptr;
  for (const JobEdge& edge : graph_.edges) {
    if (edge.chained) continue;
    channels += channels_of(graph_, edge);
    if (!widest || channels_of(graph_, edge) > channels_of(graph_, *widest)) widest = &edge;
  }
  if (channels > kMostChannels) {
    const JobVertex& from = graph_.vertices[widest->from];
    const JobVertex& to = graph_.vertices[widest->to];
    throw InvalidInput("job '" + graph_.name + "' has " + std::to_string(channels) +
                       " channels between its subtasks, the limit is " +
                       std::to_string(kMostChannels) + ": from '" + from.name + "' to '" + to.name +
                       "' alone there are " + std::to_string(channels_of(graph_, *widest)) +
                       ", as each of " + std::to_string(from.parallelism) +
                       " subtasks writes to each of " + std::to_string(to.parallelism) +
                       ": set a lower parallelism (parallelism.default, set_parallelism())");
  }
  channel_count_ = channels;
}

// As many as targets() has, over all subtasks of the producer.
std::uint64_t ExecutionGraph::channels_of(const JobGraph& graph, const JobEdge& edge) {
  const std::uint64_t writers = graph.vertices[edge.from].parallelism;
  const std::uint64_t readers = graph.vertices[edge.to].parallelism;
  switch (edge.partitioning) {
    case Partitioning::kForward:
    case Partitioning::kGlobal:
      return writers;
    case Partitioning::kRescale:
      return std::max(writers, readers);
    case Partitioning::kHash:
    case Partitioning::kRebalance:
    case Partitioning::kShuffle:
    case Partitioning::kBroadcast:
      break;
  }
  return writers * readers;
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

}  // namespace freshet::core
