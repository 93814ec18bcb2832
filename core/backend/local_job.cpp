#include "backend/local_job.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "freshet/options.h"
#include "job_master/commit_progress.h"
#include "job_master/job_states.h"
#include "job_master/read_rows.h"
#include "operators/committer.h"

namespace freshet::core {
namespace {

std::string message_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (...) {
    return detail::current_exception_message();
  }
}

}  // namespace

LocalJob::LocalJob(const Clock& clock, const std::string& job_graph,
                   const Configuration& configuration)
    : clock_(clock),
      graph_bytes_(job_graph),
      configuration_(configuration),
      messages_(clock),
      result_(promise_.future()) {
  counted_.emplace();
  TaskRunnerListener& listener = *this;
  tasks_ = std::make_shared<JobTasks>(clock_, graph_bytes_, configuration_, listener);
  id_ = tasks_->graph().id;
  name_ = tasks_->graph().name;
  const Configuration& of_job = tasks_->configuration();
  if (of_job.get(options::kRestartStrategy) == RestartStrategy::kFixedDelay) {
    restarts_left_ = of_job.get(options::kRestartStrategyAttempts);
    restart_delay_ms_ = of_job.get(options::kRestartStrategyDelay).ms();
  }
  const std::lock_guard lock(mutex_);
  say_state();
}

LocalJob::~LocalJob() {
  cancel();
  if (started_) result_.wait();
}

void LocalJob::start() {
  started_ = true;
  started_ns_ = clock_.now_ns();
  tasks_->start();
}

std::shared_ptr<JobTasks> LocalJob::tasks() const {
  const std::lock_guard lock(mutex_);
  return tasks_;
}

bool LocalJob::thread_ended() const { return tasks()->thread_ended(); }

std::int64_t LocalJob::running_ms() const {
  const std::lock_guard lock(mutex_);
  if (started_ns_ == 0) return 0;
  const std::int64_t end = ended_ns_ != 0 ? ended_ns_ : clock_.now_ns();
  return (end - started_ns_) / 1'000'000;
}

JobStatus LocalJob::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool LocalJob::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (status_ == JobStatus::kCommitting) return false;
    if (cancel_requested_ || status_ == JobStatus::kFailing || is_terminal(status_)) return true;
    cancel_requested_ = true;
    enter(JobStatus::kCanceling);
  }
  canceled_.notify_all();
  messages_.publish();
  tasks()->cancel();
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
  TaskReport report = tasks()->report();
  details.running_ms = running_ms();
  details.vertices = std::move(report.vertices);
  details.source_records = report.source_records;
  details.sink_records = report.sink_records;
  return details;
}

void LocalJob::enter(JobStatus status) {
  move_state("job '" + name() + "' (" + job_id() + ")", status_, status);
  say_state();
}

void LocalJob::say_state() {
  JobMessage message;
  message.status = status_;
  message.text = std::string("job '") + name() + "' is " + name_of(status_);
  if (failure_ && (status_ == JobStatus::kFailing || status_ == JobStatus::kFailed ||
                   status_ == JobStatus::kRestarting)) {
    message.operator_name = failure_->operator_name;
    message.subtask = failure_->subtask;
    message.text = JobFailed(name(), *failure_).what();
  }
  messages_.add(std::move(message));
}

// ---- what the tasks tell ----------------------------------------------------------------------

void LocalJob::told(std::uint32_t vertex, std::uint32_t subtask, std::string text) {
  JobMessage message;
  message.operator_name = tasks()->graph().vertices[vertex].name;
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
  std::shared_ptr<JobTasks> tasks;
  {
    const std::lock_guard lock(mutex_);
    const bool waits = status_ == JobStatus::kCreated || status_ == JobStatus::kRestarting;
    if (waits && !attempt_failed_) enter(JobStatus::kRunning);
    tasks = tasks_;
  }
  messages_.publish();
  tasks->open_gate();
}

void LocalJob::tasks_finished(FinishedTasks finished) {
  std::shared_ptr<JobTasks> tasks;
  {
    const std::lock_guard lock(mutex_);
    if (cancel_requested_ || attempt_failed_) return;
    committing_ = true;  // it is not run again after that
    committables_ = std::move(finished.committables);
    if (!committables_.empty()) enter(JobStatus::kCommitting);
    tasks = tasks_;
  }
  messages_.publish();
  tasks->commit();
}

bool LocalJob::may_restart(FailureInfo& failure) {
  if (restarts_left_ == 0 || committing_) return false;
  if (tasks_->begin_results_anew()) return true;
  failure.message += kNotAgainAfterRows;
  return false;
}

// On the thread of the tasks, none of which runs any more.
void LocalJob::commit() {
  const std::shared_ptr<JobTasks> tasks = this->tasks();
  const Duration patience = tasks->configuration().get(options::kExecutionCommitTimeout);
  const std::int64_t deadline_ns = clock_.now_ns() + patience.ns();
  CommitProgress progress(tasks->graph(), std::exchange(committables_, {}));
  std::string why;
  while (why.empty()) {
    const std::vector<std::size_t> places = progress.open();
    std::vector<Committable> open;
    for (const std::size_t place : places) open.push_back(progress.at(place));
    std::vector<CommitOutcome> outcomes(open.size());
    commit_all(clock_, tasks->job(), open, tasks->configuration(),
               [&](std::size_t i, CommitOutcome outcome) { outcomes[i] = std::move(outcome); });
    for (std::size_t i = 0; i < places.size(); ++i) progress.note(places[i], outcomes[i]);
    if (progress.done()) return;
    if (progress.refused()) {
      why = "for good";
      break;
    }
    const std::int64_t pause_ns =
        std::min(progress.next_pause_ms() * std::int64_t{1'000'000}, deadline_ns - clock_.now_ns());
    std::unique_lock lock(mutex_);
    is_forced_.wait_for(lock, std::chrono::nanoseconds(pause_ns), [this] { return forced_; });
    if (forced_) {
      why = "since it was canceled by force";
    } else if (clock_.now_ns() >= deadline_ns) {
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
  std::shared_ptr<JobTasks> tasks;
  {
    const std::lock_guard lock(mutex_);
    if (attempt_failed_ || cancel_requested_) return;
    attempt_failed_ = true;
    const bool again = may_restart(failure);
    failure_ = std::move(failure);
    if (again) {
      --restarts_left_;
      if (status_ == JobStatus::kRestarting) {
        say_state();  // again, before it had opened
      } else {
        enter(JobStatus::kRestarting);
      }
    } else {
      enter(JobStatus::kFailing);
      cancel_requested_ = true;
    }
    tasks = tasks_;
  }
  messages_.publish();
  tasks->cancel();
}

bool LocalJob::restart() {
  {
    std::unique_lock lock(mutex_);
    const auto delay = std::chrono::milliseconds(restart_delay_ms_);
    if (canceled_.wait_for(lock, delay, [this] { return cancel_requested_; })) return false;
  }
  std::shared_ptr<JobTasks> next;
  std::exception_ptr error;
  try {
    TaskRunnerListener& listener = *this;
    next = std::make_shared<JobTasks>(clock_, graph_bytes_, configuration_, listener);
  } catch (...) {
    error = std::current_exception();
  }
  std::shared_ptr<JobTasks> over;  // its thread is waited for outside of the lock
  {
    const std::lock_guard lock(mutex_);
    if (cancel_requested_) return false;
    if (error) {
      failure_ = FailureInfo{};
      failure_->message = "it can't be started again: " + message_of(error);
      enter(JobStatus::kFailing);
      return false;
    }
    attempt_failed_ = false;
    next->take_results_of(*tasks_);
    over = std::exchange(former_, std::exchange(tasks_, next));
  }
  over.reset();
  next->start();
  return true;
}

Future<std::optional<std::string>> LocalJob::next_result(const std::string& vertex) {
  const std::lock_guard lock(mutex_);  // no other attempt takes over meanwhile
  return tasks_->next_result(vertex);
}

void LocalJob::tasks_ended(TaskReport report) {
  if (status() == JobStatus::kRestarting && restart()) return;
  if (status() == JobStatus::kCommitting) commit();
  {
    const std::lock_guard lock(mutex_);
    ended_ns_ = clock_.now_ns();
  }
  JobResult result;
  result.job_id = job_id();
  result.job_name = name();
  result.accumulators = std::move(report.accumulators);
  result.duration_ms = running_ms();
  std::exception_ptr error;
  {
    const std::lock_guard lock(mutex_);
    if (status_ == JobStatus::kFailing) {
      enter(JobStatus::kFailed);
      error = std::make_exception_ptr(JobFailed(result.job_name, *failure_));
    } else if (cancel_requested_) {
      enter(JobStatus::kCanceled);
      error = std::make_exception_ptr(JobCanceled(result.job_name));
    } else {
      enter(JobStatus::kFinished);
    }
    result.status = status_;
    if (status_ == JobStatus::kFailed) result.failure = failure_;
  }
  tasks()->end_results(error);
  messages_.end();
  messages_.publish();
  counted_.reset();  // a child that is forked after the result misses nothing
  promise_.set_value(std::move(result));
}

}  // namespace freshet::core
