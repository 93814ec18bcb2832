// Which operators share a task, and which of a task's operators run as one fused kernel.
//
// An edge is chained (a call inside one task, no channel) if
//   - chaining is on, and its consumer chains with its input and has no other input edge;
//   - both sides have one parallelism, and it is forward or that parallelism is 1: between single
//     subtasks every partitioning sends all records to the one target, in order.
// A task is what chained edges connect: a tree, its root at the least place.
#pragma once

#include <cstdint>
#include <vector>

#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/stream_graph.h"

namespace freshet::core {

// `job` has all vertices and edges; their places are those of `pipeline`.
void chain_edges(const StreamGraph& pipeline, bool chaining, JobGraph& job);

// A run of vertices and the kernel for it.
struct FusedRun {
  std::vector<std::uint32_t> vertices;  // upstream first
  const FusedCandidate* kernel = nullptr;
};

// Of the candidates that fit, the longest first, none overlapping another. A candidate fits if its
// run lies in one task, each vertex is the only consumer of the one before, by the main output, and
// the vertices within the run have no other consumer. Throws InvalidInput if a kernel that fits
// stands for another number of vertices.
std::vector<FusedRun> choose_fused_runs(const StreamGraph& pipeline, const JobGraph& job);

// Tasks and their links, in the order of their first vertices. Links of a run hold an empty
// operator; those of one vertex hold the vertex's.
std::vector<JobTask> make_tasks(const JobGraph& job, const std::vector<FusedRun>& runs);

}  // namespace freshet::core
