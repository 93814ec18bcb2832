#include "client/local_job.h"

#include <utility>

namespace freshet {

LocalJob::LocalJob(const std::string& job_graph, const Configuration& configuration)
    : result_(promise_.future()), tasks_(job_graph, configuration, *this) {
  const std::lock_guard lock(mutex_);
  enter(JobStatus::kCreated);
}

LocalJob::~LocalJob() = default;

JobStatus LocalJob::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void LocalJob::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (cancel_requested_ || is_terminal(status_)) return;
    cancel_requested_ = true;
    enter(JobStatus::kCanceling);
  }
  messages_.publish();
  tasks_.cancel();
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

void LocalJob::tasks_finished() {
  {
    const std::lock_guard lock(mutex_);
    if (cancel_requested_) return;
  }
  tasks_.commit();
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
