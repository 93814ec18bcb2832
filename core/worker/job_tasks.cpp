#include "worker/job_tasks.h"

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

JobTasks::JobTasks(const std::string& job_graph, const Configuration& configuration,
                   TaskRunnerListener& listener)
    : job_(JobGraph::from_bytes(job_graph)),
      configuration_(settings_of(job_.graph(), configuration)),
      execution_(job_.graph()),
      listener_(listener) {
  const JobGraph& graph = job_.graph();
  for (std::uint32_t v = 0; v < graph.vertices.size(); ++v) {
    const JobVertex& vertex = graph.vertices[v];
    if (vertex.source) splits_.try_emplace(v, job_.make_coordinator(v), vertex.parallelism);
    if (vertex.kind == "collect") collected_[v];
  }
  build();
}

JobTasks::~JobTasks() {
  if (thread_.joinable()) {
    cancel();
    thread_.join();
  }
}

void JobTasks::start() {
  thread_ = std::thread([this] {
    run();
    thread_ended_.store(true, std::memory_order_release);
  });
}

std::size_t JobTasks::thread_count() const {
  std::uint32_t most = 1;
  for (const JobTask& task : job_.graph().tasks) most = std::max(most, task.parallelism);
  auto wanted = static_cast<std::size_t>(configuration_.get(options::kLocalThreads));
  if (wanted == 0) wanted = std::max(1u, std::thread::hardware_concurrency());
  // One subtask of each task shares a thread, as it shares a slot on a cluster; a job of one
  // subtask per task still uses two threads if it has two tasks.
  return std::min(wanted, std::max<std::size_t>(most, job_.graph().tasks.size()));
}

// A subtask is named for its operators: in the report of a stack that has overflowed.
std::string JobTasks::name_of_subtask(const ExecutionGraph::SubtaskId& id) const {
  constexpr std::size_t kLongestName = 160;
  const JobTask& task = job_.graph().tasks[id.task];
  std::string name;
  for (const JobLink& link : task.links) {
    for (const std::uint32_t vertex : link.vertices) {
      name += (name.empty() ? "" : " -> ") + job_.graph().vertices[vertex].name;
    }
  }
  if (name.size() > kLongestName) name = name.substr(0, kLongestName) + "...";
  return name + " " + std::to_string(id.subtask + 1) + "/" + std::to_string(task.parallelism);
}

void JobTasks::build() {
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

  SubtaskListener& listener = *this;
  JobServices& services = *this;
  Subtask::Options options;
  options.buffer_timeout_ns = configuration_.get(options::kExecutionBufferTimeout).ns();
  if (max_rows) options.records_per_run = std::min(options.records_per_run, max_rows);
  for (const auto& id : execution_.subtasks()) {
    subtasks_.push_back(std::make_unique<Subtask>(name_of_subtask(id), listener, gates_, options));
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

void JobTasks::run() {
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
    for (std::size_t i = 0; i < subtasks_.size(); ++i) {
      Subtask& subtask = *subtasks_[i];
      const auto& id = execution_.subtasks()[i];
      FiberHandle fiber = pool.spawn((id.subtask + id.task) % threads, subtask.name(),
                                     [&subtask] { subtask.run(); });
      const std::lock_guard lock(mutex_);
      if (canceled_) fiber.cancel();
      fibers_.push_back(std::move(fiber));
    }
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return ended_ == subtasks_.size(); });
    ended_ns_ = SystemClock::instance().now_ns();
  }
  TaskReport report = this->report();
  {
    const std::lock_guard lock(mutex_);
    last_report_ = report;
    torn_down_ = true;
    fibers_.clear();
  }
  // Memory, sockets and files of the job are gone before anybody hears of its end.
  for (auto& subtask : subtasks_) subtask->set_chain(nullptr);
  for (auto& [vertex, splits] : splits_) splits.close();
  channels_.clear();
  subtasks_.clear();
  budget_.reset();
  listener_.tasks_ended(std::move(report));
}

// ---- what tasks ask -------------------------------------------------------------------------

std::optional<std::string> JobTasks::next_split(std::uint32_t vertex, std::uint32_t subtask) {
  return splits_.at(vertex).next(subtask);
}

void JobTasks::send_result(std::uint32_t vertex, std::string rows) {
  const auto queue = collected_.find(vertex);
  if (queue == collected_.end()) {
    throw InvalidInput("operator '" + job_.graph().vertices[vertex].name +
                       "' sends results, but nobody collects them: use execute_and_collect()");
  }
  queue->second.push(std::move(rows));
}

Accumulator& JobTasks::accumulator(std::uint32_t vertex, std::uint32_t subtask,
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

void JobTasks::tell(std::uint32_t vertex, std::uint32_t subtask, std::string text) {
  listener_.told(vertex, subtask, std::move(text));
}

void JobTasks::subtask_opened() {
  {
    const std::lock_guard lock(mutex_);
    if (++opened_ < subtasks_.size()) return;
  }
  listener_.tasks_opened();
}

void JobTasks::subtask_finished() {
  {
    const std::lock_guard lock(mutex_);
    if (++finished_ < subtasks_.size() || canceled_) return;
  }
  listener_.tasks_finished();
}

void JobTasks::subtask_failed(FailureInfo failure) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_ || canceled_) return;
    failed_ = true;
  }
  listener_.tasks_failed(std::move(failure));
}

void JobTasks::subtask_ended(const Subtask&, std::optional<FailureInfo> failure) {
  if (failure) subtask_failed(std::move(*failure));
  const std::lock_guard lock(mutex_);
  if (++ended_ == subtasks_.size()) all_ended_.notify_all();
}

// ---- what the job asks ----------------------------------------------------------------------

void JobTasks::open_gate() {
  gates_.all_opened.store(true, std::memory_order_release);
  wake_subtasks();
}

void JobTasks::commit() {
  gates_.all_finished.store(true, std::memory_order_release);
  wake_subtasks();
}

void JobTasks::wake_subtasks() {
  const std::lock_guard lock(mutex_);
  if (torn_down_) return;
  for (auto& subtask : subtasks_) subtask->waiter().wake();
}

void JobTasks::cancel() {
  std::vector<FiberHandle> fibers;
  {
    const std::lock_guard lock(mutex_);
    canceled_ = true;
    fibers = fibers_;
  }
  for (FiberHandle& fiber : fibers) fiber.cancel();
}

AccumulatorValues JobTasks::accumulators() const {
  AccumulatorValues values;
  for (const auto& [name, accumulator] : accumulators_) {
    AccumulatorValue& value = values[name];
    value.kind = accumulator.kind;
    for (const auto& [place, part] : accumulator.parts) value.merge(part->value(), name);
  }
  return values;
}

TaskReport JobTasks::report() const {
  const std::lock_guard lock(mutex_);
  if (torn_down_) return last_report_;
  const JobGraph& graph = job_.graph();
  TaskReport report;
  report.accumulators = accumulators();
  for (const JobVertex& vertex : graph.vertices) {
    report.vertices.push_back({vertex.id, vertex.name, vertex.parallelism, 0, 0, {}});
  }
  for (const auto& subtask : subtasks_) {
    for (const auto& [vertex, metrics] : subtask->chain().metrics()) {
      VertexDetails& of = report.vertices[vertex];
      of.records_in += metrics->records_in.load(std::memory_order_relaxed);
      of.records_out += metrics->records_out.load(std::memory_order_relaxed);
    }
    for (const auto& [vertex, values] : subtask->chain().user_metrics()) {
      for (const auto& [name, value] : values) {
        const auto [of, added] = report.vertices[vertex].metrics.emplace(name, value);
        if (!added && of->second.kind == value.kind) of->second.merge(value);
      }
    }
  }
  for (std::size_t v = 0; v < graph.vertices.size(); ++v) {
    if (graph.vertices[v].source) report.source_records += report.vertices[v].records_out;
    if (graph.vertices[v].outputs.empty()) report.sink_records += report.vertices[v].records_in;
  }
  return report;
}

std::int64_t JobTasks::running_ms() const {
  const std::lock_guard lock(mutex_);
  if (!started_ns_) return 0;
  return ((ended_ns_ ? ended_ns_ : SystemClock::instance().now_ns()) - started_ns_) / 1'000'000;
}

void JobTasks::end_results(const std::exception_ptr& error) {
  for (auto& [vertex, queue] : collected_) queue.end(error);
}

Future<std::optional<std::string>> JobTasks::next_result(const std::string& vertex) {
  for (auto& [place, queue] : collected_) {
    const JobVertex& candidate = job_.graph().vertices[place];
    if (candidate.uid == vertex || candidate.id == vertex) return queue.next();
  }
  return make_failed_future<std::optional<std::string>>(std::make_exception_ptr(
      InvalidInput("job '" + job_.graph().name + "' has no collecting operator '" + vertex + "'")));
}

}  // namespace freshet
