// A JobGraph unrolled: the subtasks of each task, and which of them a channel connects.
//
// Limits     kMostSubtasks and kMostChannels, so that a parallelism that
//            is a mistake is refused where the job is submitted, before
//            anything is made of it.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"

namespace freshet::core {

inline constexpr std::uint64_t kMostSubtasks = 100'000;
inline constexpr std::uint64_t kMostChannels = 4'000'000;

class FRESHET_API ExecutionGraph {
 public:
  // Throws InvalidInput that names the limit, and the task or edge that has most of them.
  explicit ExecutionGraph(const JobGraph& graph);

  struct SubtaskId {
    std::uint32_t task;
    std::uint32_t subtask;
  };
  const std::vector<SubtaskId>& subtasks() const { return subtasks_; }
  // Place in subtasks().
  std::uint32_t place_of(std::uint32_t task, std::uint32_t subtask) const {
    return first_[task] + subtask;
  }
  std::uint32_t task_of_vertex(std::uint32_t vertex) const { return task_of_vertex_[vertex]; }
  // How many channels an edge between tasks is.
  static std::uint64_t channels_of(const JobGraph& graph, const JobEdge& edge);
  // The consumer's subtasks that subtask `from` of the producer writes to, in order.
  std::vector<std::uint32_t> targets(const JobEdge& edge, std::uint32_t from) const;
  struct ChannelEnds {
    std::uint32_t number;  // in the job; the same in every process
    std::uint32_t edge;
    std::uint32_t from;  // places in subtasks()
    std::uint32_t to;
  };
  // Every channel, by number.
  template <class F>
  void for_each_channel(F&& f) const;
  // Channels of all edges between tasks.
  std::size_t channel_count() const { return channel_count_; }

 private:
  void count();

  const JobGraph& graph_;
  std::vector<SubtaskId> subtasks_;
  std::vector<std::uint32_t> first_;
  std::vector<std::uint32_t> task_of_vertex_;
  std::size_t channel_count_ = 0;
};

template <class F>
void ExecutionGraph::for_each_channel(F&& f) const {
  std::uint32_t number = 0;
  for (std::uint32_t e = 0; e < graph_.edges.size(); ++e) {
    const JobEdge& edge = graph_.edges[e];
    if (edge.chained) continue;
    const std::uint32_t from_task = task_of_vertex(edge.from);
    const std::uint32_t to_task = task_of_vertex(edge.to);
    for (std::uint32_t s = 0; s < graph_.vertices[edge.from].parallelism; ++s) {
      for (const std::uint32_t t : targets(edge, s)) {
        f(ChannelEnds{number++, e, place_of(from_task, s), place_of(to_task, t)});
      }
    }
  }
}

}  // namespace freshet::core
