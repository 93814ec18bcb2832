#include "worker/worker_tasks.h"

#include <optional>
#include <utility>

#include "bounds/bounds.h"
#include "freshet/await.h"
#include "freshet/error.h"
#include "operators/committer.h"
#include "worker/worker_modules.h"

namespace freshet::core {

WorkerTasks::WorkerTasks(const Clock& clock, NetworkThread& network, KeyPair own,
                         Configuration configuration, ZapHandler* zap)
    : clock_(clock),
      plane_(clock, network, std::move(own), zap),
      configuration_(std::move(configuration)) {}

WorkerTasks::~WorkerTasks() {
  if (committing_.joinable()) committing_.join();
}

Address WorkerTasks::listen(bool one_host, const std::string& folder, const std::string& host) {
  return plane_.listen(one_host, folder, host);
}

void WorkerTasks::admit_reader(const PublicKey& key) { plane_.admit_reader(key); }

void WorkerTasks::deploy(const Deployment& deployment, TaskRunnerListener& listener) {
  if (tasks_)
    throw InvalidInput("this worker has its tasks already: a restarted job gets new ones");
  // User code runs as modules are loaded and operators made: heartbeats go on meanwhile.
  await([&] {
    load_job_modules(JobGraph::from_bytes(deployment.job_graph), deployment.modules,
                     configuration_);
    WorkerPart part;
    part.number = deployment.number;
    part.worker_of_subtask = deployment.worker_of_subtask;
    part.workers = deployment.workers;
    part.plane = &plane_;
    tasks_ = std::make_unique<JobTasks>(clock_, deployment.job_graph, configuration_, listener,
                                        std::move(part));
    try {
      tasks_->start();  // which may tell before it returns
    } catch (...) {
      tasks_.reset();
      throw;
    }
  });
}

void WorkerTasks::open_gate() {
  if (tasks_) tasks_->open_gate();
}
void WorkerTasks::commit() {
  if (tasks_) tasks_->commit();
}
// On a thread of its own: it may load modules, and user code may block.
void WorkerTasks::commit_prepared(CommitRequest request, OutcomeTold told) {
  if (committing_.joinable()) committing_.join();  // it has told all
  committing_ = std::thread([this, request = std::move(request), told = std::move(told)] {
    if (tasks_) {
      commit_all(clock_, tasks_->job(), request.committables, tasks_->configuration(), told);
      return;
    }
    std::optional<PreparedJob> job;
    try {
      const JobGraph graph = JobGraph::from_bytes(request.job_graph);
      load_job_modules(graph, request.modules, configuration_);
      job.emplace(graph);
    } catch (...) {
      CommitOutcome failed;
      failed.text = cut_to(most_text_of_commit(request.committables.size()),
                           detail::current_exception_message());
      for (std::size_t i = 0; i < request.committables.size(); ++i) told(i, failed);
      return;
    }
    commit_all(clock_, *job, request.committables, configuration_, told);
  });
}
void WorkerTasks::cancel() {
  if (tasks_) tasks_->cancel();
}
TaskReport WorkerTasks::report() const { return tasks_ ? tasks_->report() : TaskReport{}; }

}  // namespace freshet::core
