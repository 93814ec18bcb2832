// Jobs over several workers of this process, joined by real sockets, with the least of a job
// master: it opens the gates when all have told that they are there, and cancels all when one has
// failed.
//
//   WorkersJob job(graph.to_bytes(), {.workers = 3});
//   job.start();
//   const JobResult result = job.result().get();
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "client/collect_reader.h"
#include "freshet/configuration.h"
#include "freshet/job_client.h"
#include "freshet/plugin/job_graph.h"
#include "graph/execution_graph.h"
#include "network/network_thread.h"
#include "scratch_folder.h"
#include "worker/worker_tasks.h"

namespace freshet::testing {
using namespace core;

struct WorkersOptions {
  std::uint32_t workers = 2;
  // nullptr: subtask s of task t runs in worker (s + t) % workers, so that every edge crosses.
  std::function<std::uint32_t(const ExecutionGraph::SubtaskId& id)> worker_of = nullptr;
  Configuration configuration = {};
  bool tcp = false;  // with keys; else ipc
};

class WorkersJob {
 public:
  WorkersJob(const std::string& job_graph, const WorkersOptions& options);
  // Cancels what still runs, and waits for it.
  ~WorkersJob();

  void start();
  const JobGraph& graph() const { return graph_; }
  std::uint32_t workers() const { return static_cast<std::uint32_t>(parts_.size()); }
  Address address(std::uint32_t worker) const { return addresses_[worker]; }
  // Lets a client with this key read rows from it.
  void admit_reader(std::uint32_t worker, const PublicKey& key);
  // The worker of a vertex's first subtask.
  std::uint32_t worker_of(std::uint32_t vertex) const;
  JobStatus status() const;
  Future<JobResult> result() const { return result_; }
  void cancel();
  TaskReport report() const;
  Future<std::optional<std::string>> next_result(const std::string& vertex);

 private:
  struct Part;
  void opened();
  void finished(std::vector<Committable> committables);
  void failed(FailureInfo failure);
  void cancel_parts();
  void commit();
  void ended(TaskReport report);

  const JobGraph graph_;
  const std::string bytes_;
  ScratchFolder folder_;
  std::vector<std::uint32_t> worker_of_subtask_;
  std::vector<Address> addresses_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::unique_ptr<NetworkThread> client_network_;
  std::map<std::string, std::unique_ptr<CollectReader>> readers_;

  mutable std::mutex mutex_;
  std::size_t opened_ = 0;
  std::size_t finished_ = 0;
  std::size_t ended_ = 0;
  bool deployed_ = false;
  bool canceled_ = false;
  std::optional<FailureInfo> failure_;
  JobStatus status_ = JobStatus::kCreated;
  AccumulatorValues accumulators_;
  std::vector<Committable> committables_;
  Promise<JobResult> promise_;
  const Future<JobResult> result_;
};

// How the jobs of this process are spread over workers of it.
struct Spread {
  std::uint32_t workers = 0;    // 0: in the process
  std::uint64_t placement = 0;  // else a seed that draws the worker of each subtask
  bool tcp = false;             // also if FRESHET_TEST_TCP is set
};
// Lets execute() of this process run its jobs so. Jobs that are running go on.
void execute_over_workers(const Spread& spread);
// As was said last; 0: in the process.
std::uint32_t workers_of_this_process();
std::unique_ptr<JobClient> start_over_workers(const std::string& job_graph, const Spread& spread,
                                              const Configuration& configuration);

}  // namespace freshet::testing
