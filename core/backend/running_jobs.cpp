#include "backend/running_jobs.h"

#include <unistd.h>

#include "freshet/error.h"
#include "task/forked_child.h"
#include "task/shared_end.h"

namespace freshet::core {

namespace {

class InProcessJobClient final : public JobClient {
 public:
  explicit InProcessJobClient(std::shared_ptr<LocalJob> job) : job_(std::move(job)) {}
  const std::string& job_id() const override { return job_->job_id(); }
  const std::string& job_name() const override { return job_->name(); }
  Future<JobStatus> status() override {
    return here<JobStatus>([this] { return make_ready_future(job_->status()); });
  }
  Future<JobResult> result() override {
    return here<JobResult>([this] { return job_->result(); });
  }
  Future<void> cancel() override {
    return here<void>([this] {
      if (job_->cancel()) return make_ready_future();
      return make_failed_future<void>(std::make_exception_ptr(
          InvalidInput("job '" + job_->name() +
                       "' is committing: it can't be canceled, because a part of its "
                       "output may be visible already: wait for its end, or end it by force "
                       "(cancel_by_force())")));
    });
  }
  Future<void> cancel_by_force() override {
    return here<void>([this] {
      job_->cancel_by_force();
      return make_ready_future();
    });
  }
  Future<AccumulatorValues> accumulators() override {
    return here<AccumulatorValues>([this] { return make_ready_future(job_->accumulators()); });
  }
  Future<JobDetails> details() override {
    return here<JobDetails>([this] { return make_ready_future(job_->details()); });
  }
  Future<std::string> stop(const std::string&, bool) override { return no_snapshots("stop"); }
  Future<std::string> savepoint(const std::string&) override { return no_snapshots("savepoint"); }
  Future<std::optional<std::string>> next_result(const std::string& vertex_id) override {
    return here<std::optional<std::string>>([&] { return job_->next_result(vertex_id); });
  }
  Future<std::optional<JobMessage>> next_message(std::uint64_t after) override {
    return here<std::optional<JobMessage>>([&] { return job_->next_message(after); });
  }

 private:
  Future<std::string> no_snapshots(const char* call) {
    return make_failed_future<std::string>(
        std::make_exception_ptr(Error(std::string(call) + " of job '" + job_->name() +
                                      "' is not supported by this job yet: use cancel()")));
  }

  // In a forked child the job does not go on, and its locks may be held for good.
  template <class T, class Call>
  Future<T> here(Call&& call) {
    if (auto refusal = refusal_in_forked_child("job '" + job_->name() + "' can't be reached"))
      return make_failed_future<T>(std::move(refusal));
    return call();
  }

  std::shared_ptr<LocalJob> job_;
};

}  // namespace

RunningJobs::RunningJobs() : process_(::getpid()) {}

RunningJobs& RunningJobs::instance() {
  static RunningJobs jobs;
  return jobs;
}

RunningJobs::~RunningJobs() {
  forget_those_of_the_parent();
  cancel_all();
}

void RunningJobs::forget_those_of_the_parent() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(process_, ::getpid()) == ::getpid()) return;
  // Kept for good: a thread of theirs may still have been about to end, and can't be joined here.
  static_cast<void>(new std::vector<Entry>(std::move(jobs_)));
  jobs_.clear();
}

std::unique_ptr<JobClient> RunningJobs::start(std::unique_ptr<LocalJob> job) {
  const std::shared_ptr<LocalJob> shared = share_with_own_threads(std::move(job));
  forget_those_of_the_parent();
  std::vector<std::shared_ptr<LocalJob>> gone;  // their ends are not waited for under the lock
  {
    const std::lock_guard lock(mutex_);
    for (Entry& entry : jobs_) {
      if (!entry.job || !entry.job->thread_ended()) continue;
      entry.result = entry.job->result().get();
      entry.result.accumulators.clear();
      gone.push_back(std::move(entry.job));
    }
    jobs_.push_back({shared, {}});
  }
  shared->start();
  return std::make_unique<InProcessJobClient>(shared);
}

std::vector<std::shared_ptr<LocalJob>> RunningJobs::running() {
  auto jobs = kept();
  std::erase_if(jobs, [](const auto& job) { return job->result().ready(); });
  return jobs;
}

std::vector<JobResult> RunningJobs::ended() {
  std::vector<Entry> entries;
  {
    const std::lock_guard lock(mutex_);
    entries = jobs_;
  }
  std::vector<JobResult> results;
  for (Entry& entry : entries) {
    if (entry.job && !entry.job->result().ready()) continue;
    results.push_back(entry.job ? entry.job->result().get() : std::move(entry.result));
    results.back().accumulators.clear();
  }
  return results;
}

std::vector<std::shared_ptr<LocalJob>> RunningJobs::kept() {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<LocalJob>> jobs;
  for (const Entry& entry : jobs_) {
    if (entry.job) jobs.push_back(entry.job);
  }
  return jobs;
}

void RunningJobs::cancel_all() {
  for (const auto& job : kept()) job->cancel();
  for (const auto& job : kept()) job->result().wait();
}

}  // namespace freshet::core
