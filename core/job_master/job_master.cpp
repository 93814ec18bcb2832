#include "job_master/job_master.h"

#include <algorithm>

#include "freshet/error.h"
#include "freshet/options.h"
#include "task/clock.h"

namespace freshet {

namespace {

Configuration settings_of(const JobGraph& graph, const Configuration& local) {
  Configuration configuration = local;
  for (const auto& [key, text] : graph.settings) {
    configuration.set_raw(key, text, Origin::main());
  }
  return configuration;
}

}  // namespace

JobMaster::JobMaster(const std::string& job_graph, const Configuration& configuration)
    : job_(JobGraph::from_bytes(job_graph)),
      configuration_(settings_of(job_.graph(), configuration)),
      execution_(job_.graph()),
      result_(promise_.future()) {
  const JobGraph& graph = job_.graph();
  for (std::uint32_t v = 0; v < graph.vertices.size(); ++v) {
    const JobVertex& vertex = graph.vertices[v];
    if (vertex.source) splits_.try_emplace(v, job_.make_coordinator(v), vertex.parallelism);
    if (vertex.kind == "collect") collected_[v];
  }
  enter(JobStatus::kCreated);
  build();
}

JobMaster::~JobMaster() {
  if (thread_.joinable()) {
    cancel();
    thread_.join();
  }
}

void JobMaster::start() {
  thread_ = std::thread([this] {
    run();
    thread_ended_.store(true, std::memory_order_release);
  });
}

std::size_t JobMaster::thread_count() const {
  std::uint32_t most = 1;
  for (const JobTask& task : job_.graph().tasks) most = std::max(most, task.parallelism);
  auto wanted = static_cast<std::size_t>(configuration_.get(options::kLocalThreads));
  if (wanted == 0) wanted = std::max(1u, std::thread::hardware_concurrency());
  // One subtask of each task shares a thread, as it shares a slot on a cluster; a job of one
  // subtask per task still uses two threads if it has two tasks.
  return std::min(wanted, std::max<std::size_t>(most, job_.graph().tasks.size()));
}

void JobMaster::build() {
  const JobGraph& graph = job_.graph();
  const auto max_rows =
      static_cast<std::uint32_t>(configuration_.get(options::kExecutionBatchRecords));
  const auto batch_size =
      static_cast<std::size_t>(configuration_.get(options::kExecutionBatchSize).bytes());
  const auto network =
      static_cast<std::size_t>(configuration_.get(options::kTaskmanagerMemoryNetwork).bytes());
  // Many channels: each may always have a batch, so batches shrink before the budget is exceeded.
  constexpr std::size_t kSmallestBatch = 2 * 1024;
  // Between operators of a chain a batch should stay in the first-level cache with its next one.
  constexpr std::size_t kChainedBatch = 32 * 1024;
  const std::size_t per_channel =
      network / std::max<std::size_t>(1, 2 * execution_.channel_count());
  const std::size_t exchanged = std::max(std::min(batch_size, per_channel), kSmallestBatch);
  budget_ = std::make_unique<BufferBudget>(network, exchanged);

  // A subtask is named for its operators: in the report of a stack that has overflowed.
  constexpr std::size_t kLongestName = 160;
  SubtaskListener& listener = *this;
  JobServices& services = *this;
  Subtask::Options options;
  options.buffer_timeout_ns = configuration_.get(options::kExecutionBufferTimeout).ns();
  if (max_rows) options.records_per_run = std::min(options.records_per_run, max_rows);
  for (const auto& id : execution_.subtasks()) {
    const JobTask& task = graph.tasks[id.task];
    std::string name;
    for (const JobLink& link : task.links) {
      for (const std::uint32_t vertex : link.vertices) {
        name += (name.empty() ? "" : " -> ") + graph.vertices[vertex].name;
      }
    }
    if (name.size() > kLongestName) name = name.substr(0, kLongestName) + "...";
    name += " " + std::to_string(id.subtask + 1) + "/" + std::to_string(task.parallelism);
    subtasks_.push_back(std::make_unique<Subtask>(std::move(name), listener, gates_, options));
  }

  Channel::Options channel_options;
  channel_options.depth =
      static_cast<std::uint32_t>(configuration_.get(options::kTaskBuffersPerChannel));
  channel_options.max_rows = max_rows;
  std::vector<OperatorChain::EdgeChannels> channels(subtasks_.size());
  for (std::uint32_t e = 0; e < graph.edges.size(); ++e) {
    const JobEdge& edge = graph.edges[e];
    if (edge.chained) continue;
    const std::uint32_t from_task = execution_.task_of_vertex(edge.from);
    const std::uint32_t to_task = execution_.task_of_vertex(edge.to);
    for (std::uint32_t s = 0; s < graph.vertices[edge.from].parallelism; ++s) {
      const std::uint32_t from = execution_.place_of(from_task, s);
      auto& targets = channels[from][e];
      for (const std::uint32_t t : execution_.targets(edge, s)) {
        Subtask& reader = *subtasks_[execution_.place_of(to_task, t)];
        channels_.push_back(std::make_unique<Channel>(subtasks_[from]->waiter(), reader.waiter(),
                                                      *budget_, channel_options));
        reader.add_input(*channels_.back(), edge.input);
        targets.push_back(channels_.back().get());
      }
    }
  }
  for (std::size_t i = 0; i < subtasks_.size(); ++i) {
    const auto& id = execution_.subtasks()[i];
    subtasks_[i]->set_chain(
        std::make_unique<OperatorChain>(job_, services, id.task, id.subtask, channels[i],
                                        BatchShape{std::min(batch_size, kChainedBatch), max_rows}));
  }
}

void JobMaster::run() {
  JobResult result;
  result.job_id = job_.graph().id;
  result.job_name = job_.graph().name;
  {
    SchedulerOptions options;
    options.stack_size.bytes =
        static_cast<std::size_t>(configuration_.get(options::kTaskStackSize).bytes());
    const std::size_t threads = thread_count();
    SchedulerPool pool(threads, options);
    {
      const std::lock_guard lock(mutex_);
      started_ns_ = SystemClock::instance().now_ns();
    }
    std::vector<std::uint32_t> next_of_task(job_.graph().tasks.size());
    for (std::size_t i = 0; i < subtasks_.size(); ++i) {
      Subtask& subtask = *subtasks_[i];
      const auto& id = execution_.subtasks()[i];
      FiberHandle fiber = pool.spawn((id.subtask + id.task) % threads, subtask.name(),
                                     [&subtask] { subtask.run(); });
      const std::lock_guard lock(mutex_);
      if (cancel_requested_) fiber.cancel();
      fibers_.push_back(std::move(fiber));
    }
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return ended_ == subtasks_.size(); });
    ended_ns_ = SystemClock::instance().now_ns();
  }
  result.accumulators = accumulators();
  const JobDetails details = this->details();
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
    result.duration_ms = (ended_ns_ - started_ns_) / 1'000'000;
    last_details_ = details;
    last_details_.status = status_;
    torn_down_ = true;
    fibers_.clear();
  }
  // Memory, sockets and files of the job are gone before anybody hears of its end.
  for (auto& subtask : subtasks_) subtask->set_chain(nullptr);
  for (auto& [vertex, splits] : splits_) splits.close();
  channels_.clear();
  subtasks_.clear();
  budget_.reset();
  for (auto& [vertex, queue] : collected_) queue.end(error);
  messages_.end();
  messages_.publish();
  promise_.set_value(std::move(result));
}

// ---- what tasks ask -------------------------------------------------------------------------

std::optional<std::string> JobMaster::next_split(std::uint32_t vertex, std::uint32_t subtask) {
  return splits_.at(vertex).next(subtask);
}

void JobMaster::send_result(std::uint32_t vertex, std::string rows) {
  const auto queue = collected_.find(vertex);
  if (queue == collected_.end()) {
    throw InvalidInput("operator '" + job_.graph().vertices[vertex].name +
                       "' sends results, but nobody collects them: use execute_and_collect()");
  }
  queue->second.push(std::move(rows));
}

Accumulator& JobMaster::accumulator(std::uint32_t vertex, std::uint32_t subtask,
                                    std::string_view name, AccumulatorKind kind) {
  const std::lock_guard lock(mutex_);
  auto found = accumulators_.find(name);
  if (found == accumulators_.end()) {
    found = accumulators_.emplace(std::string(name), NamedAccumulator{kind, {}}).first;
  }
  if (found->second.kind != kind) {
    throw InvalidInput("accumulator '" + std::string(name) + "' is used as " +
                       name_of(found->second.kind) + " and as " + name_of(kind) +
                       ": give one of them another name");
  }
  auto& part = found->second.parts[{vertex, subtask}];
  if (!part) part = std::make_unique<Accumulator>(kind);
  return *part;
}

void JobMaster::tell(std::uint32_t vertex, std::uint32_t subtask, std::string text) {
  JobMessage message;
  message.operator_name = job_.graph().vertices[vertex].name;
  message.subtask = subtask;
  message.text = std::move(text);
  {
    const std::lock_guard lock(mutex_);
    message.status = status_;
    messages_.add(std::move(message));
  }
  messages_.publish();
}

void JobMaster::enter(JobStatus status) {
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

void JobMaster::subtask_opened() {
  {
    const std::lock_guard lock(mutex_);
    if (++opened_ < subtasks_.size()) return;
    if (status_ == JobStatus::kCreated) enter(JobStatus::kRunning);
  }
  messages_.publish();
  gates_.all_opened.store(true, std::memory_order_release);
  for (auto& subtask : subtasks_) subtask->waiter().wake();
}

void JobMaster::subtask_finished() {
  {
    const std::lock_guard lock(mutex_);
    if (++finished_ < subtasks_.size() || cancel_requested_) return;
  }
  gates_.all_finished.store(true, std::memory_order_release);
  for (auto& subtask : subtasks_) subtask->waiter().wake();
}

void JobMaster::subtask_failed(FailureInfo failure) {
  {
    const std::lock_guard lock(mutex_);
    if (failure_ || cancel_requested_) return;
    failure_ = std::move(failure);
    enter(JobStatus::kFailing);
    cancel_requested_ = true;
  }
  messages_.publish();
  cancel_subtasks();
}

void JobMaster::subtask_ended(const Subtask&, std::optional<FailureInfo> failure) {
  if (failure) subtask_failed(std::move(*failure));
  const std::lock_guard lock(mutex_);
  if (++ended_ == subtasks_.size()) all_ended_.notify_all();
}

// ---- what clients ask -----------------------------------------------------------------------

JobStatus JobMaster::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void JobMaster::cancel() {
  {
    const std::lock_guard lock(mutex_);
    if (cancel_requested_ || is_terminal(status_)) return;
    cancel_requested_ = true;
    enter(JobStatus::kCanceling);
  }
  messages_.publish();
  cancel_subtasks();
}

void JobMaster::cancel_subtasks() {
  std::vector<FiberHandle> fibers;
  {
    const std::lock_guard lock(mutex_);
    fibers = fibers_;
  }
  for (FiberHandle& fiber : fibers) fiber.cancel();
}

AccumulatorValues JobMaster::accumulators() const {
  const std::lock_guard lock(mutex_);
  AccumulatorValues values;
  for (const auto& [name, accumulator] : accumulators_) {
    AccumulatorValue& value = values[name];
    value.kind = accumulator.kind;
    for (const auto& [place, part] : accumulator.parts) value.merge(part->value(), name);
  }
  return values;
}

JobDetails JobMaster::details() const {
  const std::lock_guard lock(mutex_);
  if (torn_down_) return last_details_;
  const JobGraph& graph = job_.graph();
  JobDetails details;
  details.job_id = graph.id;
  details.job_name = graph.name;
  details.status = status_;
  if (started_ns_) {
    details.running_ms =
        ((ended_ns_ ? ended_ns_ : SystemClock::instance().now_ns()) - started_ns_) / 1'000'000;
  }
  for (const JobVertex& vertex : graph.vertices) {
    details.vertices.push_back({vertex.id, vertex.name, vertex.parallelism, 0, 0, {}});
  }
  for (const auto& subtask : subtasks_) {
    for (const auto& [vertex, metrics] : subtask->chain().metrics()) {
      VertexDetails& of = details.vertices[vertex];
      of.records_in += metrics->records_in.load(std::memory_order_relaxed);
      of.records_out += metrics->records_out.load(std::memory_order_relaxed);
    }
    for (const auto& [vertex, values] : subtask->chain().user_metrics()) {
      for (const auto& [name, value] : values) {
        const auto [of, added] = details.vertices[vertex].metrics.emplace(name, value);
        if (!added && of->second.kind == value.kind) of->second.merge(value);
      }
    }
  }
  for (std::size_t v = 0; v < graph.vertices.size(); ++v) {
    if (graph.vertices[v].source) details.source_records += details.vertices[v].records_out;
    if (graph.vertices[v].outputs.empty()) details.sink_records += details.vertices[v].records_in;
  }
  return details;
}

Future<std::optional<std::string>> JobMaster::next_result(const std::string& vertex) {
  for (auto& [place, queue] : collected_) {
    const JobVertex& candidate = job_.graph().vertices[place];
    if (candidate.uid == vertex || candidate.id == vertex) return queue.next();
  }
  return make_failed_future<std::optional<std::string>>(std::make_exception_ptr(
      InvalidInput("job '" + job_.graph().name + "' has no collecting operator '" + vertex + "'")));
}

}  // namespace freshet
