#include "workers.h"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>
#include <utility>

#include "backend/in_process_backend.h"
#include "clock/clock.h"
#include "configuration/configuration.h"
#include "freshet/detail/backend.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "job_master/commit_progress.h"
#include "operators/committer.h"
#include "task/shared_end.h"

namespace freshet::testing {
using namespace core;

struct WorkersJob::Part final : TaskRunnerListener {
  Part(WorkersJob& its_job, const Configuration& configuration)
      : job(its_job),
        keys(make_key_pair()),
        zap(SystemClock::instance(), network),
        tasks(SystemClock::instance(), network, keys, configuration, &zap) {}
  void tasks_opened() override { job.opened(); }
  void tasks_finished(FinishedTasks finished) override {
    job.finished(std::move(finished.committables));
  }
  void tasks_failed(FailureInfo failure) override { job.failed(std::move(failure)); }
  void told(std::uint32_t, std::uint32_t, std::string) override {}
  void tasks_ended(TaskReport report) override { job.ended(std::move(report)); }

  WorkersJob& job;
  NetworkThread network;
  const KeyPair keys;
  ZapHandler zap;
  WorkerTasks tasks;
};

WorkersJob::WorkersJob(const std::string& job_graph, const WorkersOptions& options)
    : graph_(JobGraph::from_bytes(job_graph)), bytes_(job_graph), result_(promise_.future()) {
  const ExecutionGraph execution(graph_);
  std::set<std::uint32_t> used;
  for (const auto& id : execution.subtasks()) {
    const std::uint32_t worker =
        options.worker_of ? options.worker_of(id) : (id.task + id.subtask) % options.workers;
    worker_of_subtask_.push_back(worker);
    used.insert(worker);
  }
  // Every worker has a subtask.
  for (std::uint32_t& worker : worker_of_subtask_) {
    worker = static_cast<std::uint32_t>(std::distance(used.begin(), used.find(worker)));
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    parts_.push_back(std::make_unique<Part>(*this, options.configuration));
    addresses_.push_back(parts_.back()->tasks.listen(!options.tcp, folder_.path(), "127.0.0.1"));
  }
}

void WorkersJob::admit_reader(std::uint32_t worker, const PublicKey& key) {
  parts_[worker]->tasks.admit_reader(key);
}

void WorkersJob::start() {
  for (std::uint32_t i = 0; i < parts_.size(); ++i) {
    Deployment deployment;
    deployment.job_graph = bytes_;
    deployment.workers = addresses_;
    deployment.number = i;
    deployment.worker_of_subtask = worker_of_subtask_;
    parts_[i]->tasks.deploy(deployment, *parts_[i]);
  }
  bool canceled;
  {
    const std::lock_guard lock(mutex_);
    deployed_ = true;
    canceled = canceled_;
  }
  if (canceled) cancel_parts();
}

// What is not there yet is canceled by start().
void WorkersJob::cancel_parts() {
  {
    const std::lock_guard lock(mutex_);
    if (!deployed_) return;
  }
  for (auto& part : parts_) part->tasks.cancel();
}

WorkersJob::~WorkersJob() {
  cancel();
  readers_.clear();
  for (auto& part : parts_) part.reset();
}

std::uint32_t WorkersJob::worker_of(std::uint32_t vertex) const {
  const ExecutionGraph execution(graph_);
  return worker_of_subtask_[execution.place_of(execution.task_of_vertex(vertex), 0)];
}

JobStatus WorkersJob::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void WorkersJob::opened() {
  {
    const std::lock_guard lock(mutex_);
    if (++opened_ < parts_.size()) return;
    if (status_ == JobStatus::kCreated) status_ = JobStatus::kRunning;
  }
  for (auto& part : parts_) part->tasks.open_gate();
}

void WorkersJob::finished(std::vector<Committable> committables) {
  {
    const std::lock_guard lock(mutex_);
    for (Committable& each : committables) committables_.push_back(std::move(each));
    if (++finished_ < parts_.size() || canceled_) return;
  }
  for (auto& part : parts_) part->tasks.commit();
}

void WorkersJob::failed(FailureInfo failure) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_ || canceled_) return;
    failure_ = std::move(failure);
    canceled_ = true;
    status_ = JobStatus::kFailing;
  }
  cancel_parts();
}

// As a job master has it done, once. [under the lock]
void WorkersJob::commit() {
  CommitProgress progress(graph_, committables_);
  std::vector<CommitOutcome> outcomes(committables_.size());
  commit_all(SystemClock::instance(), PreparedJob(graph_), committables_, Configuration(),
             [&](std::size_t i, CommitOutcome outcome) { outcomes[i] = std::move(outcome); });
  for (std::size_t i = 0; i < outcomes.size(); ++i) progress.note(i, outcomes[i]);
  if (!progress.done()) failure_ = progress.failure("at once");
}

void WorkersJob::ended(TaskReport report) {
  JobResult result;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [name, value] : report.accumulators) {
      const auto [of, added] = accumulators_.emplace(name, value);
      if (!added) of->second.merge(value, name);
    }
    if (++ended_ < parts_.size()) return;
    if (!failure_ && !canceled_) commit();
    status_ = failure_    ? JobStatus::kFailed
              : canceled_ ? JobStatus::kCanceled
                          : JobStatus::kFinished;
    result.status = status_;
    result.failure = failure_;
    result.accumulators = accumulators_;
  }
  result.job_id = graph_.id;
  result.job_name = graph_.name;
  promise_.set_value(std::move(result));
}

void WorkersJob::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (canceled_ || is_terminal(status_)) return;
    canceled_ = true;
    status_ = JobStatus::kCanceling;
  }
  cancel_parts();
}

TaskReport WorkersJob::report() const {
  TaskReport merged;
  for (const auto& part : parts_) {
    TaskReport report = part->tasks.report();
    if (merged.vertices.empty()) {
      merged = std::move(report);
      continue;
    }
    for (std::size_t v = 0; v < report.vertices.size(); ++v) {
      merged.vertices[v].records_in += report.vertices[v].records_in;
      merged.vertices[v].records_out += report.vertices[v].records_out;
      for (const auto& [name, value] : report.vertices[v].metrics) {
        const auto [of, added] = merged.vertices[v].metrics.emplace(name, value);
        if (!added) of->second.merge(value);
      }
    }
    for (const auto& [name, value] : report.accumulators) {
      const auto [of, added] = merged.accumulators.emplace(name, value);
      if (!added) of->second.merge(value, name);
    }
    merged.source_records += report.source_records;
    merged.sink_records += report.sink_records;
  }
  return merged;
}

Future<std::optional<std::string>> WorkersJob::next_result(const std::string& vertex) {
  auto& reader = readers_[vertex];
  if (!reader) {
    std::uint32_t worker = 0;
    for (std::uint32_t v = 0; v < graph_.vertices.size(); ++v) {
      if (graph_.vertices[v].uid == vertex || graph_.vertices[v].id == vertex) {
        worker = worker_of(v);
      }
    }
    if (!client_network_) client_network_ = std::make_unique<NetworkThread>();
    const KeyPair keys = make_key_pair();
    parts_[worker]->tasks.admit_reader(keys.public_key);
    reader = std::make_unique<CollectReader>(*client_network_, keys, addresses_[worker], graph_.id,
                                             vertex);
  }
  return reader->next();
}

// ---- execute() over workers ------------------------------------------------------------------

namespace {

class WorkersClient final : public JobClient {
 public:
  explicit WorkersClient(std::shared_ptr<WorkersJob> job) : job_(std::move(job)) {}
  const std::string& job_id() const override { return job_->graph().id; }
  const std::string& job_name() const override { return job_->graph().name; }
  Future<JobStatus> status() override { return make_ready_future(job_->status()); }
  Future<JobResult> result() override { return job_->result(); }
  Future<void> cancel() override {
    job_->cancel();
    return make_ready_future();
  }
  Future<AccumulatorValues> accumulators() override {
    return make_ready_future(job_->report().accumulators);
  }
  Future<JobDetails> details() override {
    TaskReport report = job_->report();
    JobDetails details;
    details.job_id = job_id();
    details.job_name = job_name();
    details.status = job_->status();
    details.vertices = std::move(report.vertices);
    details.source_records = report.source_records;
    details.sink_records = report.sink_records;
    return make_ready_future(std::move(details));
  }
  Future<std::string> stop(const std::string&, bool) override { return unsupported(); }
  Future<std::string> savepoint(const std::string&) override { return unsupported(); }
  Future<std::optional<std::string>> next_result(const std::string& vertex) override {
    using Rows = std::optional<std::string>;
    return job_->next_result(vertex).then([job = job_](const Future<Rows>& rows) -> Future<Rows> {
      try {
        return make_ready_future(rows.get());
      } catch (const Error&) {  // what the job says of it counts, if it has ended by it
      }
      if (job->status() == JobStatus::kRunning) return rows;
      return job->result().then([rows](const JobResult& result) -> Rows {
        if (result.failure) throw JobFailed(result.job_name, *result.failure);
        if (!result.succeeded()) throw JobCanceled(result.job_name);
        return rows.get();
      });
    });
  }

 private:
  static Future<std::string> unsupported() {
    return make_failed_future<std::string>(
        std::make_exception_ptr(Error("not supported by this job yet")));
  }
  std::shared_ptr<WorkersJob> job_;
};

class WorkersBackend final : public detail::ExecutionBackend {
 public:
  explicit WorkersBackend(const Spread& spread) : spread_(spread) {}
  Configuration configuration() override { return InProcessBackend::instance().configuration(); }
  Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                             const Configuration& configuration) override {
    Promise<std::unique_ptr<JobClient>> submitted;
    try {
      const std::string bytes =
          InProcessBackend::instance().translate(pipeline, configuration).to_bytes();
      submitted.set_value(start_over_workers(bytes, spread_, configuration));
    } catch (...) {
      submitted.set_error(std::current_exception());
    }
    return submitted.future();
  }

 private:
  const Spread spread_;
};

std::uint32_t workers_used = 0;

}  // namespace

std::unique_ptr<JobClient> start_over_workers(const std::string& job_graph, const Spread& spread,
                                              const Configuration& configuration) {
  static std::mutex mutex;
  static std::vector<std::shared_ptr<WorkersJob>> jobs;  // go on when their client is dropped
  WorkersOptions options;
  options.workers = spread.workers;
  options.configuration = configuration;
  options.tcp = spread.tcp || std::getenv("FRESHET_TEST_TCP") != nullptr;
  if (spread.placement != 0) {
    auto draw = std::make_shared<std::mt19937_64>(spread.placement);
    options.worker_of = [draw, workers = spread.workers](const ExecutionGraph::SubtaskId&) {
      return static_cast<std::uint32_t>((*draw)() % workers);
    };
  }
  // Its last user may be a continuation on one of its threads.
  auto job = share_with_own_threads(std::make_unique<WorkersJob>(job_graph, options));
  job->start();
  const std::lock_guard lock(mutex);
  std::erase_if(jobs, [](const auto& each) { return each->result().ready(); });
  jobs.push_back(job);
  return std::make_unique<WorkersClient>(std::move(job));
}

std::uint32_t workers_of_this_process() { return workers_used; }

void execute_over_workers(const Spread& spread) {
  static std::unique_ptr<WorkersBackend> backend;
  workers_used = spread.workers;
  detail::set_execution_backend(nullptr);
  backend = spread.workers ? std::make_unique<WorkersBackend>(spread) : nullptr;
  detail::set_execution_backend(backend.get());
}

}  // namespace freshet::testing
