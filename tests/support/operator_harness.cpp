#include "operator_harness.h"

#include <stdexcept>
#include <utility>

namespace freshet::testing {

namespace {

constexpr std::size_t kBudget = std::size_t{64} << 20;
constexpr std::size_t kBatch = std::size_t{32} << 10;
constexpr std::uint32_t kDepth = 256;  // of a channel whose reader has gated it

std::uint32_t task_of(const JobGraph& graph, std::uint32_t vertex) {
  for (std::uint32_t task = 0; task < graph.tasks.size(); ++task) {
    for (const JobLink& link : graph.tasks[task].links) {
      for (const std::uint32_t each : link.vertices) {
        if (each == vertex) return task;
      }
    }
  }
  throw std::logic_error("vertex " + std::to_string(vertex) + " is in no task");
}

bool is_source(const JobGraph& graph, std::uint32_t task) {
  return graph.vertices[graph.tasks[task].links.front().vertices.front()].source;
}

}  // namespace

OperatorHarness::Input::Input(Channel& its_channel, Partitioning partitioning)
    : channel(its_channel), edge(partitioning, {&its_channel}, 128, 0), output({kBatch, 0}) {
  output.add(edge);
}

OperatorHarness::OperatorHarness(JobGraph graph, Configuration configuration)
    : clock_(fibers_.clock()),
      job_(std::move(graph)),
      configuration_(std::move(configuration)),
      budget_(kBudget, kBatch),
      accumulated_(std::make_shared<detail::AccumulatedBytes>()) {
  make_tasks();
  open();
}

OperatorHarness::~OperatorHarness() {
  cancel_all();
  fibers_.run_until_idle();
}

void OperatorHarness::make_tasks() {
  const JobGraph& job = job_.graph();
  SubtaskListener& listener = *this;
  for (std::uint32_t task = 0; task < job.tasks.size(); ++task) {
    if (job.tasks[task].parallelism != 1)
      throw std::logic_error("the harness runs one subtask of each task: set parallelism to 1");
    if (is_source(job, task)) {
      if (job.tasks[task].links.size() != 1 || job.tasks[task].links.front().vertices.size() != 1)
        throw std::logic_error(
            "a source is chained to what reads it: the harness stands in its "
            "place, so leave that edge unchained");
      continue;
    }
    const auto& first = job.vertices[job.tasks[task].links.front().vertices.front()];
    subtasks_[task] = std::make_unique<Subtask>(first.name + " " + std::to_string(task), clock_,
                                                listener, gates_, Subtask::Options{});
  }
  std::map<std::uint32_t, OperatorChain::EdgeChannels> outputs;  // by task
  for (std::uint32_t e = 0; e < job.edges.size(); ++e) {
    const JobEdge& edge = job.edges[e];
    if (edge.chained) continue;
    Subtask& reader = *subtasks_.at(task_of(job, edge.to));
    const std::uint32_t from = task_of(job, edge.from);
    Waiter& writer = is_source(job, from) ? writer_ : subtasks_.at(from)->waiter();
    channels_.push_back(
        std::make_unique<Channel>(writer, reader.waiter(), budget_, Channel::Options{kDepth, 0}));
    reader.add_input(*channels_.back(), edge.input);
    if (is_source(job, from)) {
      inputs_.emplace_back(*channels_.back(), edge.partitioning);
    } else {
      outputs[from][e].push_back(channels_.back().get());
    }
  }
  JobServices& services = *this;
  for (auto& [task, subtask] : subtasks_) {
    subtask->set_chain(std::make_unique<OperatorChain>(job_, services, task, 0, outputs[task],
                                                       BatchShape{kBatch, 0}));
  }
}

void OperatorHarness::open() {
  for (auto& [task, subtask] : subtasks_)
    static_cast<void>(fibers_.start(subtask->name(), [each = subtask.get()] { each->run(); }));
  fibers_.run_until_idle();
  if (opened_ < subtasks_.size()) return;
  gates_.all_opened = true;
  wake_all();
  fibers_.run_until_idle();
}

void OperatorHarness::wake_all() {
  for (auto& [task, subtask] : subtasks_) subtask->waiter().wake();
}

void OperatorHarness::cancel_all() {
  for (auto& [task, subtask] : subtasks_) fibers_.cancel(subtask->name());
}

// ---- what the test does -------------------------------------------------------------------------

OperatorHarness::Input& OperatorHarness::input_with_room(std::size_t input) {
  Input& to = inputs_.at(input);
  if (to.ended) throw std::logic_error("input " + std::to_string(input) + " has ended");
  if (to.channel.full())
    throw std::logic_error("input " + std::to_string(input) +
                           " is full: its operator has not read it for long");
  return to;
}

void OperatorHarness::run(Input& input) {
  input.edge.flush();
  fibers_.run_until_idle();
}

void OperatorHarness::push_row(std::string_view row, std::int64_t timestamp, std::size_t input) {
  Input& to = input_with_room(input);
  ByteOutput output(to.output, ByteOutput::Keys::kNone);
  output.emit(row, timestamp);
  output.flush();
  run(to);
}

void OperatorHarness::push_keyed_row(std::string_view key, std::string_view value,
                                     std::int64_t timestamp, std::size_t input) {
  Input& to = input_with_room(input);
  ByteOutput output(to.output, ByteOutput::Keys::kKeyed);
  output.emit_keyed(key, value, timestamp);
  output.flush();
  run(to);
}

void OperatorHarness::watermark(std::int64_t timestamp, std::size_t input) {
  Input& to = input_with_room(input);
  to.output.watermark(timestamp);
  run(to);
}

void OperatorHarness::end_input(std::size_t input) {
  Input& to = input_with_room(input);
  to.ended = true;
  to.edge.end();
  fibers_.run_until_idle();
}

void OperatorHarness::end() {
  for (std::size_t input = 0; input < inputs_.size(); ++input) {
    if (!inputs_[input].ended) end_input(input);
  }
}

void OperatorHarness::advance_ms(std::int64_t milliseconds) {
  fibers_.advance_ns(milliseconds * 1'000'000);
  fibers_.run_until_idle();
}

// ---- what it sees -------------------------------------------------------------------------------

std::uint32_t OperatorHarness::vertex_of(const std::string& name) const {
  const auto& vertices = job_.graph().vertices;
  for (std::uint32_t v = 0; v < vertices.size(); ++v) {
    if (vertices[v].name == name) return v;
  }
  throw std::logic_error("the job has no operator '" + name + "'");
}

const StageMetrics& OperatorHarness::metrics(const std::string& name) const {
  const std::uint32_t vertex = vertex_of(name);
  return *subtasks_.at(task_of(job_.graph(), vertex))->chain().metrics().at(vertex);
}

MetricValues OperatorHarness::user_metrics(const std::string& name) const {
  const std::uint32_t vertex = vertex_of(name);
  auto all = subtasks_.at(task_of(job_.graph(), vertex))->chain().user_metrics();
  return std::move(all[vertex]);
}

AccumulatorValue OperatorHarness::accumulator(const std::string& name) const {
  return accumulators_.at(name)->value();
}

// ---- what operators ask and their tasks report --------------------------------------------------

void OperatorHarness::send_result(std::uint32_t, std::string) {
  throw InvalidInput("nobody collects rows here: let the graph have a sink of the test");
}

Accumulator& OperatorHarness::accumulator(std::uint32_t, std::uint32_t, std::string_view name,
                                          AccumulatorKind kind) {
  auto& found = accumulators_[std::string(name)];
  if (!found) found = std::make_unique<Accumulator>(kind, std::string(name), accumulated_);
  return *found;
}

void OperatorHarness::subtask_finished(std::vector<Committable>, bool) {
  if (++finished_ < subtasks_.size()) return;
  gates_.all_finished = true;
  wake_all();
}

void OperatorHarness::subtask_failed(FailureInfo failure) {
  if (failure_) return;
  failure_ = std::move(failure);
  cancel_all();
}

void OperatorHarness::subtask_ended(const Subtask&, std::optional<FailureInfo> failure) {
  ++ended_;
  if (failure) subtask_failed(*std::move(failure));
}

}  // namespace freshet::testing
