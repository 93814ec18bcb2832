// One job in this process: its states, messages and result. Its tasks are all here, too.
//
// Threads    Every public call from any thread, none blocks.
// States     created -> running -> [committing ->] finished; running, committing -> failing ->
// failed;
//            created, running -> canceling -> canceled. Each is entered once.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/future.h"
#include "freshet/job_client.h"
#include "job_master/message_log.h"
#include "worker/job_tasks.h"

namespace freshet {

class FRESHET_API LocalJob final : private TaskRunnerListener {
 public:
  // Takes the serialised graph, as it would come from elsewhere. Throws InvalidInput or DecodeError
  // if it can't be run here.
  LocalJob(const std::string& job_graph, const Configuration& configuration);
  // Cancels what still runs, and waits for it. [not the job's own threads: see task/shared_end.h]
  ~LocalJob() override;

  void start() { tasks_.start(); }
  // After result() and its continuations: whoever lets go of the job now does not wait for them.
  bool thread_ended() const { return tasks_.thread_ended(); }
  const std::string& job_id() const { return tasks_.graph().id; }
  const std::string& name() const { return tasks_.graph().name; }
  JobStatus status() const;
  Future<JobResult> result() const { return result_; }
  // False: it is committing, and goes on.
  bool cancel();
  // If it is committing it fails, once what is being tried has come to its end.
  void cancel_by_force();
  AccumulatorValues accumulators() const { return tasks_.report().accumulators; }
  JobDetails details() const;
  Future<std::optional<std::string>> next_result(const std::string& vertex) {
    return tasks_.next_result(vertex);
  }
  Future<std::optional<JobMessage>> next_message(std::uint64_t after) {
    return messages_.next(after);
  }

 private:
  void tasks_opened() override;
  void tasks_finished(FinishedTasks finished) override;
  void tasks_failed(FailureInfo failure) override;
  void told(std::uint32_t vertex, std::uint32_t subtask, std::string text) override;
  void tasks_ended(TaskReport report) override;

  void commit();
  // [under the lock; messages_.publish() follows outside of it]
  void enter(JobStatus status);

  mutable std::mutex mutex_;
  JobStatus status_ = JobStatus::kCreated;
  bool cancel_requested_ = false;
  bool forced_ = false;
  std::condition_variable is_forced_;
  std::vector<Committable> committables_;
  std::optional<FailureInfo> failure_;

  MessageLog messages_;
  Promise<JobResult> promise_;
  const Future<JobResult> result_;
  JobTasks tasks_;  // ends first
};

}  // namespace freshet
