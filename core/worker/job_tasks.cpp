#include "worker/job_tasks.h"

#include <algorithm>

#include "bounds/bounds.h"
#include "bounds/failure_text.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/byte_records.h"
#include "task/shared_end.h"

namespace freshet::core {

namespace {

Configuration settings_of(const JobGraph& graph, const Configuration& local) {
  Configuration configuration = local;
  for (const auto& [key, text] : graph.settings) {
    configuration.set_raw(key, text, Origin::main());
  }
  return configuration;
}

}  // namespace

JobTasks::JobTasks(const Clock& clock, const std::string& job_graph,
                   const Configuration& configuration, TaskRunnerListener& listener,
                   std::optional<WorkerPart> part)
    : clock_(clock),
      job_(JobGraph::from_bytes(job_graph)),
      configuration_(settings_of(job_.graph(), configuration)),
      execution_(job_.graph()),
      listener_(listener),
      part_(std::move(part)) {
  const JobGraph& graph = job_.graph();
  if (part_) check_part();
  for (std::uint32_t v = 0; v < graph.vertices.size(); ++v) {
    const JobVertex& vertex = graph.vertices[v];
    if (!is_here(execution_.place_of(execution_.task_of_vertex(v), 0))) continue;
    if (vertex.source) splits_.try_emplace(v, job_.make_coordinator(v), vertex.parallelism);
    if (vertex.kind == "collect") collected_[v];
  }
  build();
}

JobTasks::~JobTasks() {
  if (thread_.joinable()) {
    cancel_fibers();
    thread_.join();
  }
  if (remote_) remote_->leave();
}

void JobTasks::check_part() const {
  const std::size_t subtasks = execution_.subtasks().size();
  const std::size_t workers = part_->workers.size();
  const auto fail = [&](const std::string& what) {
    throw InvalidInput("the deployment of job '" + job_.graph().name + "' is damaged: " + what);
  };
  if (part_->worker_of_subtask.size() != subtasks) {
    fail("it places " + std::to_string(part_->worker_of_subtask.size()) + " subtasks of " +
         std::to_string(subtasks));
  }
  for (const std::uint32_t worker : part_->worker_of_subtask) {
    if (worker >= workers) {
      fail("it names worker " + std::to_string(worker) + " of " + std::to_string(workers));
    }
  }
  if (std::find(part_->worker_of_subtask.begin(), part_->worker_of_subtask.end(), part_->number) ==
      part_->worker_of_subtask.end()) {
    fail("worker " + std::to_string(part_->number) + " has no subtask");
  }
}

void JobTasks::start() {
  if (remote_) remote_->join();
  thread_ = std::thread([this] {
    const RuntimeThreadMark mark;
    run();
    thread_ended_.store(true, std::memory_order_release);
  });
}

std::size_t JobTasks::thread_count() const {
  const JobGraph& graph = job_.graph();
  if (part_) {
    // As many as slots: one subtask of each task shares one.
    std::vector<std::size_t> of_task(graph.tasks.size());
    for (std::uint32_t place = 0; place < subtasks_.size(); ++place) {
      if (is_here(place)) ++of_task[execution_.subtasks()[place].task];
    }
    return std::max<std::size_t>(1, *std::max_element(of_task.begin(), of_task.end()));
  }
  std::uint32_t most = 1;
  for (const JobTask& task : graph.tasks) most = std::max(most, task.parallelism);
  auto wanted = static_cast<std::size_t>(configuration_.get(options::kLocalThreads));
  if (wanted == 0) wanted = std::max(1u, std::thread::hardware_concurrency());
  // One subtask of each task shares a thread, as it shares a slot on a cluster; a job of one
  // subtask per task still uses two threads if it has two tasks.
  return std::min(wanted, std::max<std::size_t>(most, graph.tasks.size()));
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
  const auto max_rows =
      static_cast<std::uint32_t>(configuration_.get(options::kExecutionBatchRecords));
  const auto batch_size =
      static_cast<std::size_t>(configuration_.get(options::kExecutionBatchSize).bytes());
  auto network =
      static_cast<std::size_t>(configuration_.get(options::kTaskmanagerMemoryNetwork).bytes());
  // Many channels: each may always have a batch, so batches shrink before the budget is exceeded.
  constexpr std::size_t kSmallestBatch = 2 * 1024;
  std::size_t channels = 0, incoming = 0;  // of this worker
  execution_.for_each_channel([&](const ExecutionGraph::ChannelEnds& ends) {
    channels += is_here(ends.from) || is_here(ends.to);
    incoming += !is_here(ends.from) && is_here(ends.to);
  });
  if (part_ && part_->workers.size() > 1) network /= 2;  // the rest is for frames
  const std::size_t per_channel = network / std::max<std::size_t>(1, 2 * channels);
  const std::size_t exchanged = std::max(std::min(batch_size, per_channel), kSmallestBatch);
  // The same for what rows keep outside of them.
  const std::size_t extra = std::clamp(per_channel, kSmallestBatch, Batch::kExtraLimit);
  budget_ = std::make_unique<BufferBudget>(network, exchanged, extra);
  if (part_) {
    constexpr std::size_t kMostCredits = 32;
    const auto credits = [&](std::size_t frame) {
      const std::size_t frames = network / frame / std::max<std::size_t>(1, incoming);
      return static_cast<std::uint32_t>(std::clamp<std::size_t>(frames, 1, kMostCredits));
    };
    const std::size_t frame = std::max(exchanged, kFullFrameBytes);
    RemoteHost& host = *this;
    remote_ = std::make_unique<RemoteTasks>(host, job_.graph(), execution_, *part_,
                                            execution_.channel_count(),
                                            FrameCredits{credits(frame), credits(frame + extra)});
  }
  make_subtasks(max_rows);
  Channel::Options options;
  options.depth = static_cast<std::uint32_t>(configuration_.get(options::kTaskBuffersPerChannel));
  options.max_rows = max_rows;
  auto outputs = connect(options);

  // Between operators of a chain a batch should stay in the first-level cache with its next one.
  constexpr std::size_t kChainedBatch = 32 * 1024;
  JobServices& services = *this;
  for (std::uint32_t place = 0; place < subtasks_.size(); ++place) {
    if (!subtasks_[place]) continue;
    const auto& id = execution_.subtasks()[place];
    subtasks_[place]->set_chain(
        std::make_unique<OperatorChain>(job_, services, id.task, id.subtask, outputs[place],
                                        BatchShape{std::min(batch_size, kChainedBatch), max_rows}));
  }
}

void JobTasks::make_subtasks(std::uint32_t max_rows) {
  SubtaskListener& listener = *this;
  Subtask::Options options;
  options.buffer_timeout_ns = configuration_.get(options::kExecutionBufferTimeout).ns();
  if (max_rows) options.records_per_run = std::min(options.records_per_run, max_rows);
  const std::size_t places = execution_.subtasks().size();
  subtasks_.resize(places);
  thread_of_.resize(places);
  const std::size_t threads = thread_count();
  std::vector<std::uint32_t> next_of_task(job_.graph().tasks.size());
  for (std::uint32_t place = 0; place < places; ++place) {
    if (!is_here(place)) continue;
    const auto& id = execution_.subtasks()[place];
    ++here_;
    thread_of_[place] = static_cast<std::uint32_t>((next_of_task[id.task]++ + id.task) % threads);
    subtasks_[place] =
        std::make_unique<Subtask>(name_of_subtask(id), clock_, listener, gates_, options);
  }
}

std::vector<OperatorChain::EdgeChannels> JobTasks::connect(const Channel::Options& options) {
  std::vector<OperatorChain::EdgeChannels> outputs(subtasks_.size());
  const auto make = [&](Waiter& writer, Waiter& reader) -> Channel& {
    channels_.push_back(std::make_unique<Channel>(writer, reader, *budget_, options));
    return *channels_.back();
  };
  execution_.for_each_channel([&](const ExecutionGraph::ChannelEnds& ends) {
    Subtask* writer = subtasks_[ends.from].get();
    Subtask* reader = subtasks_[ends.to].get();
    const std::uint32_t input = job_.graph().edges[ends.edge].input;
    if (writer) {
      Channel& channel =
          make(writer->waiter(), reader ? reader->waiter() : remote_->sender(ends.from));
      outputs[ends.from][ends.edge].push_back(&channel);
      if (reader) {
        reader->add_input(channel, input);
      } else {
        remote_->connect_output(ends.from, channel, ends.number, part_->worker_of_subtask[ends.to]);
      }
    } else if (reader) {
      Channel& channel = make(remote_->receiver(ends.to), reader->waiter());
      reader->add_input(channel, input);
      remote_->connect_input(ends.to, channel, input, ends.number,
                             part_->worker_of_subtask[ends.from]);
    }
  });
  return outputs;
}

void JobTasks::spawn(SchedulerPool& pool, std::uint32_t place, std::string name,
                     FiberFunction function) {
  FiberHandle fiber = pool.spawn(thread_of_[place], std::move(name), std::move(function));
  const std::lock_guard lock(mutex_);
  if (canceled_) fiber.cancel();
  fibers_.push_back(std::move(fiber));
}

void JobTasks::run() {
  {
    SchedulerOptions options;
    options.stack_size.bytes =
        static_cast<std::size_t>(configuration_.get(options::kTaskStackSize).bytes());
    SchedulerPool pool(clock_, thread_count(), options);
    {
      const std::lock_guard lock(mutex_);
      started_ns_ = clock_.now_ns();
      pool_ = &pool;
    }
    for (std::uint32_t place = 0; place < subtasks_.size(); ++place) {
      if (Subtask* subtask = subtasks_[place].get()) {
        spawn(pool, place, subtask->name(), [subtask] { subtask->run(); });
      }
    }
    if (remote_) {
      remote_->spawn(
          [&](std::uint32_t place, std::string name, FiberFunction function) {
            spawn(pool, place, std::move(name), std::move(function));
          },
          gates_.all_opened);
    }
    std::unique_lock lock(mutex_);
    all_ended_.wait(lock, [this] { return ended_ == here_; });
    ended_ns_ = clock_.now_ns();
    pool_ = nullptr;
    for (FiberHandle& helper : helpers_) helper.cancel();
  }
  if (remote_) end_remote();
  TaskReport report = this->report();
  {
    const std::lock_guard lock(mutex_);
    last_report_ = report;
    torn_down_ = true;
    fibers_.clear();
    helpers_.clear();
  }
  // Memory, sockets and files of the job are gone before anybody hears of its end.
  for (auto& subtask : subtasks_) {
    if (subtask) subtask->set_chain(nullptr);
  }
  for (auto& [vertex, splits] : splits_) splits.close();
  remote_.reset();
  channels_.clear();
  subtasks_.clear();
  budget_.reset();
  listener_.tasks_ended(std::move(report));
}

// What has been collected goes to the clients that read it; then no other worker is heard any more.
void JobTasks::end_remote() {
  std::exception_ptr error;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) {
      error = std::make_exception_ptr(JobFailed(job_name(), *failure_));
    } else if (canceled_) {
      error = std::make_exception_ptr(JobCanceled(job_name()));
    }
  }
  end_results(error);
  if (!error) remote_->collects().wait_for_readers(collected_.size());
  remote_->leave();
}

// ---- what tasks ask -------------------------------------------------------------------------

// Workers on several hosts are joined when all of them have opened, so nobody gets one before.
std::optional<std::string> JobTasks::next_split(std::uint32_t vertex, std::uint32_t subtask) {
  if (!gates_.all_opened.load(std::memory_order_acquire)) {
    throw InvalidInput("source '" + job_.graph().vertices[vertex].name +
                       "' asks for a split in open(), but they are handed out once every task of "
                       "the job has opened: ask for the first one when records are wanted");
  }
  const auto here = splits_.find(vertex);
  if (here != splits_.end()) return here->second.next(subtask);
  return remote_->next_split(worker_of_splits(vertex), vertex, subtask);
}

std::uint32_t JobTasks::worker_of_splits(std::uint32_t vertex) const {
  return part_->worker_of_subtask[execution_.place_of(execution_.task_of_vertex(vertex), 0)];
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
  if (name.size() > kMostNameBytes) {
    throw InvalidInput("the name of an accumulator has " + std::to_string(name.size()) +
                       " bytes, the limit is " + std::to_string(kMostNameBytes) + ": '" +
                       cut_to(kMostNameBytes, std::string(name)) + "'");
  }
  const std::lock_guard lock(mutex_);
  auto found = accumulators_.find(name);
  if (found == accumulators_.end()) {
    if (accumulators_.size() >= kMostAccumulators) {
      throw InvalidInput(
          "accumulator '" + std::string(name) + "' is one too many: a job has " +
          std::to_string(kMostAccumulators) +
          " at most; count by key in the job itself, and let a sink have the counts");
    }
    found = accumulators_.emplace(std::string(name), NamedAccumulator{kind, {}}).first;
  }
  if (found->second.kind != kind) {
    throw InvalidInput("accumulator '" + std::string(name) + "' is used as " +
                       name_of(found->second.kind) + " and as " + name_of(kind) +
                       ": give one of them another name");
  }
  auto& part = found->second.parts[{vertex, subtask}];
  if (!part) part = std::make_unique<Accumulator>(kind, std::string(name), accumulated_);
  return *part;
}

void JobTasks::count_metric(std::uint32_t vertex, std::string_view name) {
  const std::size_t bytes = name.size() + kMetricBytes;
  if (metric_bytes_.fetch_add(bytes, std::memory_order_relaxed) + bytes <= kMostMetricBytes) return;
  throw InvalidInput(
      "metric '" + cut_to(kMostListedBytes, std::string(name)) + "' of operator '" +
      job_.graph().vertices[vertex].name +
      "' is one too many: the metrics that the subtasks of a job keep in one process "
      "may have " +
      std::to_string(kMostMetricBytes) +
      " bytes, their names and 100 bytes for each: keep fewer, or give them shorter "
      "names");
}

void JobTasks::tell(std::uint32_t vertex, std::uint32_t subtask, std::string text) {
  listener_.told(vertex, subtask, cut_to(kMostMessageBytes, std::move(text)));
}

void JobTasks::subtask_opened() {
  {
    const std::lock_guard lock(mutex_);
    if (++opened_ < here_) return;
  }
  listener_.tasks_opened();
}

void JobTasks::subtask_finished(std::vector<Committable> committables, bool commits) {
  FinishedTasks all;
  std::optional<FailureInfo> failure;
  {
    const std::lock_guard lock(mutex_);
    prepared_.commits |= commits;
    for (Committable& each : committables) {
      prepared_bytes_ += each.bytes.size();
      if (prepared_bytes_ > Committable::kMostOfWorker) {
        failure.emplace();
        failure->operator_name = job_.graph().vertices[each.vertex].name;
        failure->subtask = each.subtask;
        failure->message = "the subtasks of this worker have prepared more than " +
                           std::to_string(Committable::kMostOfWorker) +
                           " bytes to be committed: let prepare_commit() give names, or set the "
                           "parallelism to less";
        break;
      }
      prepared_.committables.push_back(std::move(each));
    }
    if (!failure) {
      if (++finished_ < here_ + (remote_ ? remote_->senders() : 0) || canceled_) return;
      all = std::exchange(prepared_, {});
    }
  }
  if (failure) {
    subtask_failed(*std::move(failure));
    return;
  }
  if (remote_) remote_->finished();
  listener_.tasks_finished(std::move(all));
}

// Then it is the reason, and told.
bool JobTasks::is_first(const FailureInfo& failure) {
  const std::lock_guard lock(mutex_);
  if (failure_ || canceled_) return false;
  failure_ = failure;
  return true;
}

void JobTasks::subtask_failed(FailureInfo failure) {
  failure.message = as_text_of_failure(std::move(failure.message));
  failure = bounded(std::move(failure));
  if (is_first(failure)) listener_.tasks_failed(std::move(failure));
}

void JobTasks::peer_lost(std::uint32_t worker, FailureInfo failure) {
  if (is_first(failure)) listener_.peer_lost(worker, std::move(failure));
}

void JobTasks::subtask_ended(const Subtask&, std::optional<FailureInfo> failure) {
  if (failure) subtask_failed(std::move(*failure));
  const std::lock_guard lock(mutex_);
  if (++ended_ == here_) all_ended_.notify_all();
}

// ---- what other workers ask -----------------------------------------------------------------

const RecordType& JobTasks::type_of_input(std::uint32_t place, std::uint32_t input) {
  const OperatorChain& chain = subtasks_[place]->chain();
  if (const RecordType* type = chain.input_type(input)) return *type;
  const JobGraph& graph = job_.graph();
  for (const JobEdge& edge : graph.edges) {
    if (edge.chained || edge.input != input ||
        execution_.task_of_vertex(edge.to) != execution_.subtasks()[place].task) {
      continue;
    }
    if (edge.fingerprint == byte_record_schema().fingerprint) return byte_record_type();
    if (edge.fingerprint == keyed_byte_record_schema().fingerprint) return keyed_byte_record_type();
    throw InvalidInput("operator '" + graph.vertices[edge.to].name + "' takes records " +
                       graph.vertices[edge.from].outputs[edge.output].schema +
                       " from another worker and does not say how it reads them: let its class "
                       "have input_type()");
  }
  throw InvalidInput("task '" + subtasks_[place]->name() + "' has no input " +
                     std::to_string(input));
}

std::optional<std::string> JobTasks::local_split(std::uint32_t vertex, std::uint32_t subtask) {
  return splits_.at(vertex).next(subtask);
}

void JobTasks::expect_splits_of(std::uint32_t vertex, std::uint32_t subtask) {
  if (!splits_.contains(vertex) || subtask >= job_.graph().vertices[vertex].parallelism) {
    throw InvalidInput("splits are wanted for subtask " + std::to_string(subtask) +
                       " of operator " + std::to_string(vertex) +
                       ", whose splits are not handed out here");
  }
}

bool JobTasks::start_fiber(std::string name, FiberFunction function) {
  const std::lock_guard lock(mutex_);
  if (!pool_ || canceled_) return false;
  std::erase_if(helpers_, [](const FiberHandle& helper) { return helper.finished().ready(); });
  helpers_.push_back(
      pool_->spawn(helpers_.size() % pool_->size(), std::move(name), std::move(function)));
  return true;
}

ResultQueue* JobTasks::results_of(const std::string& vertex) {
  for (auto& [place, queue] : collected_) {
    const JobVertex& candidate = job_.graph().vertices[place];
    if (candidate.uid == vertex || candidate.id == vertex) return &queue;
  }
  return nullptr;
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
  for (auto& subtask : subtasks_) {
    if (subtask) subtask->waiter().wake();
  }
  if (remote_) remote_->gate_opened();
}

void JobTasks::cancel() {
  gates_.canceled.store(true, std::memory_order_release);
  cancel_fibers();
}

void JobTasks::cancel_fibers() {
  std::vector<FiberHandle> fibers;
  {
    const std::lock_guard lock(mutex_);
    canceled_ = true;
    fibers = fibers_;
    fibers.insert(fibers.end(), helpers_.begin(), helpers_.end());
    if (!torn_down_ && remote_) remote_->collects().stop();
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
    if (!subtask) continue;
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
  return ((ended_ns_ ? ended_ns_ : clock_.now_ns()) - started_ns_) / 1'000'000;
}

bool JobTasks::begin_results_anew() {
  bool none_read = true;
  for (auto& [vertex, queue] : collected_) none_read = queue.stop() && none_read;
  return none_read;
}

void JobTasks::take_results_of(JobTasks& former) {
  collected_.swap(former.collected_);
  for (auto& [vertex, queue] : collected_) queue.go_on();
}

void JobTasks::end_results(const std::exception_ptr& error) {
  for (auto& [vertex, queue] : collected_) queue.end(error);
}

Future<std::optional<std::string>> JobTasks::next_result(const std::string& vertex) {
  if (ResultQueue* queue = results_of(vertex)) return queue->next();
  return make_failed_future<std::optional<std::string>>(std::make_exception_ptr(
      InvalidInput("job '" + job_.graph().name + "' has no collecting operator '" + vertex + "'")));
}

}  // namespace freshet::core
