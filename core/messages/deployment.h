// What a worker is given to run its part of a job, and what it reports.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/committable.h"
#include "freshet/accumulators.h"
#include "freshet/job_client.h"
#include "network/transport.h"

namespace freshet::core {

// Where other workers of the job, and clients that collect rows, reach this worker's data socket.
struct Deployment {
  std::string job_graph;                         // JobGraph::to_bytes()
  std::map<std::string, std::string> modules;    // path of the local copy by sha256
  std::vector<Address> workers;                  // data addresses, by number
  std::uint32_t number = 0;                      // of this worker
  std::vector<std::uint32_t> worker_of_subtask;  // by place in ExecutionGraph::subtasks()
};

struct TaskReport {
  AccumulatorValues accumulators;
  // All of the job, in the graph's order; counted are this worker's subtasks.
  std::vector<VertexDetails> vertices;
  std::uint64_t source_records = 0;
  std::uint64_t sink_records = 0;
};

// What tasks say that have read, written and sent everything.
struct FinishedTasks {
  std::vector<Committable> committables;
  bool commits = false;  // some have a commit() to call, which is not called twice
};

// In any worker of the job, also in one that was never deployed; that one needs the graph.
struct CommitRequest {
  std::string job_graph;                       // JobGraph::to_bytes(); empty: as it was deployed
  std::map<std::string, std::string> modules;  // as Deployment has them
  std::vector<Committable> committables;
};

}  // namespace freshet::core
