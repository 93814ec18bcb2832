#include "client/local_job.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "freshet/options.h"
#include "job_master/commit_progress.h"
#include "operators/committer.h"

namespace freshet {

LocalJob::LocalJob(const std::string& job_graph, const Configuration& configuration)
    : result_(promise_.future()), tasks_(job_graph, configuration, *this) {
  const std::lock_guard lock(mutex_);
  enter(JobStatus::kCreated);
}

LocalJob::~LocalJob() { cancel(); }

JobStatus LocalJob::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool LocalJob::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (status_ == JobStatus::kCommitting) return false;
    if (cancel_requested_ || is_terminal(status_)) return true;
    cancel_requested_ = true;
    enter(JobStatus::kCanceling);
  }
  messages_.publish();
  tasks_.cancel();
  return true;
}

void LocalJob::cancel_by_force() {
  {
    const std::lock_guard lock(mutex_);
    forced_ = true;
    is_forced_.notify_all();
  }
  cancel();
}

JobDetails LocalJob::details() const {
  JobDetails details;
  details.job_id = job_id();
  details.job_name = name();
  details.status = status();
  TaskReport report = tasks_.report();
  details.running_ms = tasks_.running_ms();
  details.vertices = std::move(report.vertices);
  details.source_records = report.source_records;
  details.sink_records = report.sink_records;
  return details;
}

void LocalJob::enter(JobStatus status) {
  status_ = status;
  JobMessage message;
  message.status = status;
  message.text = std::string("job '") + name() + "' is " + name_of(status);
  if (failure_ && (status == JobStatus::kFailing || status == JobStatus::kFailed)) {
    message.operator_name = failure_->operator_name;
    message.subtask = failure_->subtask;
    message.text = JobFailed(name(), *failure_).what();
  }
  messages_.add(std::move(message));
}

// ---- what the tasks tell ----------------------------------------------------------------------

void LocalJob::told(std::uint32_t vertex, std::uint32_t subtask, std::string text) {
  JobMessage message;
  message.operator_name = tasks_.graph().vertices[vertex].name;
  message.subtask = subtask;
  message.text = std::move(text);
  {
    const std::lock_guard lock(mutex_);
    message.status = status_;
    messages_.add(std::move(message));
  }
  messages_.publish();
}

void LocalJob::tasks_opened() {
  {
    const std::lock_guard lock(mutex_);
    if (status_ == JobStatus::kCreated) enter(JobStatus::kRunning);
  }
  messages_.publish();
  tasks_.open_gate();
}

void LocalJob::tasks_finished(FinishedTasks finished) {
  {
    const std::lock_guard lock(mutex_);
    if (cancel_requested_) return;
    committables_ = std::move(finished.committables);
    if (!committables_.empty()) enter(JobStatus::kCommitting);
  }
  messages_.publish();
  tasks_.commit();
}

// On the thread of the tasks, none of which runs any more.
void LocalJob::commit() {
  using Time = std::chrono::steady_clock;
  const Duration patience = tasks_.configuration().get(options::kExecutionCommitTimeout);
  const Time::time_point deadline = Time::now() + std::chrono::nanoseconds(patience.ns());
  CommitProgress progress(tasks_.graph(), std::exchange(committables_, {}));
  std::string why;
  while (why.empty()) {
    const std::vector<std::size_t> places = progress.open();
    std::vector<Committable> open;
    for (const std::size_t place : places) open.push_back(progress.at(place));
    const auto outcomes = commit_all(tasks_.job(), open, tasks_.configuration());
    for (std::size_t i = 0; i < places.size(); ++i) progress.note(places[i], outcomes[i]);
    if (progress.done()) return;
    if (progress.refused()) {
      why = "for good";
      break;
    }
    const auto next = Time::now() + std::chrono::milliseconds(progress.next_pause_ms());
    std::unique_lock lock(mutex_);
    is_forced_.wait_until(lock, std::min(next, deadline), [this] { return forced_; });
    if (forced_) {
      why = "since it was canceled by force";
    } else if (Time::now() >= deadline) {
      why = "within " + ConfigValue<Duration>::format(patience) + " (execution.commit-timeout)";
    }
  }
  {
    const std::lock_guard lock(mutex_);
    failure_ = progress.failure(why);
    enter(JobStatus::kFailing);
  }
  messages_.publish();
}

void LocalJob::tasks_failed(FailureInfo failure) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_ || cancel_requested_) return;
    failure_ = std::move(failure);
    enter(JobStatus::kFailing);
    cancel_requested_ = true;
  }
  messages_.publish();
  tasks_.cancel();
}

void LocalJob::tasks_ended(TaskReport report) {
  if (status() == JobStatus::kCommitting) commit();
  JobResult result;
  result.job_id = job_id();
  result.job_name = name();
  result.accumulators = std::move(report.accumulators);
  result.duration_ms = tasks_.running_ms();
  std::exception_ptr error;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) {
      enter(JobStatus::kFailed);
      error = std::make_exception_ptr(JobFailed(result.job_name, *failure_));
    } else if (cancel_requested_) {
      enter(JobStatus::kCanceled);
      error = std::make_exception_ptr(JobCanceled(result.job_name));
    } else {
      enter(JobStatus::kFinished);
    }
    result.status = status_;
    result.failure = failure_;
  }
  tasks_.end_results(error);
  messages_.end();
  messages_.publish();
  promise_.set_value(std::move(result));
}

}  // namespace freshet
