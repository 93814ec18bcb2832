// One job in this process: its states, messages and result. Its tasks are all here, too; its
// restart strategy has them begin anew, each attempt with operators and threads of its own.
//
// Threads    Every public call from any thread, none blocks.
// States     Those of job_master/job_states.h.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/future.h"
#include "freshet/job_client.h"
#include "job_master/message_log.h"
#include "task/forked_child.h"
#include "worker/job_tasks.h"

namespace freshet::core {

class FRESHET_API LocalJob final : private TaskRunnerListener {
 public:
  // Takes the serialised graph, as it would come from elsewhere. Throws InvalidInput or DecodeError
  // if it can't be run here. `clock` is the system's (SchedulerPool) and outlives it.
  LocalJob(const Clock& clock, const std::string& job_graph, const Configuration& configuration);
  // Cancels what still runs, and waits for it. [not the job's own threads: see task/shared_end.h]
  ~LocalJob() override;

  void start();
  // After result() and its continuations: whoever lets go of the job now does not wait for them.
  bool thread_ended() const;
  const std::string& job_id() const { return id_; }
  const std::string& name() const { return name_; }
  JobStatus status() const;
  Future<JobResult> result() const { return result_; }
  // False: it is committing, and goes on.
  bool cancel();
  // If it is committing it fails, once what is being tried has come to its end.
  void cancel_by_force();
  AccumulatorValues accumulators() const { return tasks()->report().accumulators; }
  JobDetails details() const;
  // Of the attempt that runs. A job whose rows somebody has got is not run again.
  Future<std::optional<std::string>> next_result(const std::string& vertex);
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
  // Of the current attempt, or the last one.
  std::shared_ptr<JobTasks> tasks() const;
  // Throws ForbiddenMove. [under the lock; messages_.publish() follows outside of it]
  void enter(JobStatus status);
  // A message of the state that it is in. [under the lock]
  void say_state();
  // Whether the job may be run again after that failure, which it then says if not. [under the
  // lock]
  bool may_restart(FailureInfo& failure);
  // Waits for the delay and begins the next attempt. False: it is canceled, or can't begin; then it
  // ends. [thread of the attempt before]
  bool restart();
  std::int64_t running_ms() const;

  // Until the result is there: also before its threads begin, and between two attempts.
  std::optional<RuntimeThreads> counted_;
  const Clock& clock_;
  const std::string graph_bytes_;
  const Configuration configuration_;
  std::string id_, name_;
  std::int64_t restart_delay_ms_ = 0;

  mutable std::mutex mutex_;
  std::condition_variable canceled_;  // while a restart is waited for
  JobStatus status_ = JobStatus::kCreated;
  bool cancel_requested_ = false;
  bool forced_ = false;
  std::condition_variable is_forced_;
  std::vector<Committable> committables_;
  bool started_ = false;
  bool attempt_failed_ = false;  // the current one
  bool committing_ = false;
  std::int32_t restarts_left_ = 0;
  std::optional<FailureInfo> failure_;
  std::int64_t started_ns_ = 0, ended_ns_ = 0;

  MessageLog messages_;
  Promise<JobResult> promise_;
  const Future<JobResult> result_;
  // Of the lock. The attempt before the last one has nothing left but its thread, which ends.
  std::shared_ptr<JobTasks> former_, tasks_;
};

}  // namespace freshet::core
