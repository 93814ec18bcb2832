#include "operators/operator_chain.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <exception>
#include <mutex>

#include "bounds/bounds.h"
#include "freshet/detail/canceled_stage.h"
#include "freshet/error.h"

namespace freshet::core {

// One vertex of the chain, as its functions see it.
class OperatorChain::Context final : public RuntimeContext {
 public:
  Context(JobServices& services, const JobVertex& vertex, std::uint32_t place,
          std::uint32_t subtask)
      : services_(services),
        clock_(services.clock()),
        vertex_(vertex),
        place_(place),
        subtask_(subtask) {}

  const std::string& job_name() const override { return services_.job_name(); }
  const std::string& job_id() const override { return services_.job_id(); }
  const std::string& operator_name() const override { return vertex_.name; }
  const std::string& operator_id() const override { return vertex_.id; }
  std::uint32_t subtask_index() const override { return subtask_; }
  std::uint32_t parallelism() const override { return vertex_.parallelism; }
  std::uint32_t max_parallelism() const override { return vertex_.max_parallelism; }
  ExecutionMode mode() const override { return services_.mode(); }
  const Configuration& configuration() const override { return services_.configuration(); }
  Accumulator& accumulator(std::string_view name, AccumulatorKind kind) override {
    return services_.accumulator(place_, subtask_, name, kind);
  }
  std::optional<std::string> next_split() override {
    return services_.next_split(place_, subtask_);
  }
  void send_result(std::string rows) override { services_.send_result(place_, std::move(rows)); }
  Counter counter(std::string_view name) override {
    return Counter(metric(name, MetricKind::kCounter));
  }
  Gauge gauge(std::string_view name) override { return Gauge(metric(name, MetricKind::kGauge)); }
  Distribution distribution(std::string_view name) override {
    return Distribution(metric(name, MetricKind::kDistribution));
  }
  Output& side_output(std::uint32_t index) override { return *outputs.at(index); }
  std::int64_t now() const override { return clock_.now_ns(); }

  MetricValues user_metrics() const {
    const std::lock_guard lock(mutex_);
    MetricValues values;
    for (const auto& [name, cell] : user_metrics_) values.emplace(name, detail::value_of(*cell));
    return values;
  }
  std::uint32_t place() const { return place_; }

  std::vector<std::unique_ptr<TaskOutput>> outputs;
  StageMetrics metrics;

 private:
  std::shared_ptr<detail::MetricCell> metric(std::string_view name, MetricKind kind) {
    const std::lock_guard lock(mutex_);
    const auto found = user_metrics_.find(name);
    if (found == user_metrics_.end()) {
      check_new_metric(name);
      return user_metrics_.emplace(std::string(name), detail::make_metric(kind)).first->second;
    }
    const MetricKind made = detail::value_of(*found->second).kind;
    if (made != kind) {
      throw InvalidInput("metric '" + std::string(name) + "' of operator '" + vertex_.name +
                         "' is used as " + name_of(made) + " and as " + name_of(kind) +
                         ": give one of them another name");
    }
    return found->second;
  }

  // [under the lock]
  void check_new_metric(std::string_view name) const {
    if (name.size() > kMostNameBytes) {
      throw InvalidInput("the name of a metric of operator '" + vertex_.name + "' has " +
                         std::to_string(name.size()) + " bytes, the limit is " +
                         std::to_string(kMostNameBytes) + ": '" +
                         cut_to(kMostNameBytes, std::string(name)) + "'");
    }
    if (user_metrics_.size() >= kMostMetrics) {
      throw InvalidInput("metric '" + std::string(name) + "' of operator '" + vertex_.name +
                         "' is one too many: an operator has " + std::to_string(kMostMetrics) +
                         " at most; count by key in the job itself, and let a sink have the "
                         "counts");
    }
    services_.count_metric(place_, name);
  }

  JobServices& services_;
  const Clock& clock_;
  const JobVertex& vertex_;
  std::uint32_t place_;
  std::uint32_t subtask_;
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<detail::MetricCell>, std::less<>> user_metrics_;
};

// What one operator of the chain, fused or single, is opened with.
class OperatorChain::LinkContext final : public OperatorContext {
 public:
  LinkContext(OperatorChain& chain, std::uint32_t link) : chain_(chain), link_(link) {}

  Output& output(std::uint32_t index) override { return *stages.back()->outputs.at(index); }
  std::uint32_t outputs() const override {
    return static_cast<std::uint32_t>(stages.back()->outputs.size());
  }
  RuntimeContext& stage(std::uint32_t index) override { return *stages.at(index); }
  StageMetrics& metrics(std::uint32_t index) override { return stages.at(index)->metrics; }
  OperatorServices& services() override { return chain_.services_of(link_); }

  std::vector<std::unique_ptr<Context>> stages;

 private:
  OperatorChain& chain_;
  const std::uint32_t link_;
};

struct OperatorChain::Link {
  Link(OperatorChain& chain, std::uint32_t place) : context(chain, place) {}

  LinkContext context;
  std::unique_ptr<Operator> op;
  std::unique_ptr<Services> services;  // ends before the operator
  bool opened = false;
  std::vector<ChainedEdge*> edges_in;
};

OperatorChain::OperatorChain(const PreparedJob& job, JobServices& services, std::uint32_t task,
                             std::uint32_t subtask, const EdgeChannels& channels,
                             BatchShape chained)
    : job_(job),
      services_(services),
      task_(job.graph().tasks[task]),
      task_place_(task),
      subtask_(subtask) {
  const JobGraph& graph = job.graph();
  std::map<std::uint32_t, std::uint32_t> link_of_vertex;
  std::map<std::uint32_t, Context*> context_of_vertex;
  for (std::uint32_t l = 0; l < task_.links.size(); ++l) {
    Link& link = links_.emplace_back(*this, l);
    for (const std::uint32_t v : task_.links[l].vertices) {
      auto context = std::make_unique<Context>(services_, graph.vertices[v], v, subtask);
      for (const JobVertex::OutputSchema& declared : graph.vertices[v].outputs) {
        context->outputs.push_back(std::make_unique<TaskOutput>(chained, &declared));
      }
      metrics_[v] = &context->metrics;
      link_of_vertex[v] = l;
      context_of_vertex[v] = context.get();
      link.context.stages.push_back(std::move(context));
    }
  }
  for (std::uint32_t e = 0; e < graph.edges.size(); ++e) {
    const JobEdge& edge = graph.edges[e];
    const auto from = context_of_vertex.find(edge.from);
    if (from == context_of_vertex.end()) continue;
    if (edge.chained) {
      const std::uint32_t to = link_of_vertex.at(edge.to);
      if (to == link_of_vertex.at(edge.from)) continue;  // inside a fused kernel
      auto chained_edge =
          std::make_unique<ChainedEdge>(to, edge.input, position_,
                                        RowsCheck("'" + graph.vertices[edge.from].name + "'",
                                                  "'" + graph.vertices[edge.to].name + "'"));
      links_[to].edges_in.push_back(chained_edge.get());
      from->second->outputs.at(edge.output)->add(*chained_edge);
      edges_.push_back(std::move(chained_edge));
    } else {
      auto outer = std::make_unique<ChannelEdge>(edge.partitioning, channels.at(e),
                                                 graph.vertices[edge.to].max_parallelism, subtask);
      outer_edges_.push_back(outer.get());
      from->second->outputs.at(edge.output)->add(*outer);
      edges_.push_back(std::move(outer));
    }
  }
  make_checks();
}

OperatorChain::~OperatorChain() = default;

void OperatorChain::make_checks() {
  const JobGraph& graph = job_.graph();
  const std::uint32_t head = task_.links.front().vertices.front();
  std::map<std::uint32_t, std::string> writers;
  for (const JobEdge& edge : graph.edges) {
    if (edge.chained || edge.to != head) continue;
    std::string& all = writers[edge.input];
    all += (all.empty() ? "'" : " or '") + graph.vertices[edge.from].name + "'";
  }
  for (const auto& [input, names] : writers)
    checks_.emplace(input, RowsCheck(names, "'" + graph.vertices[head].name + "'"));
}

void OperatorChain::open() {
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    const RunningLink runs(position_, l);
    position_.failed_link = static_cast<int>(l);
    Link& link = links_[l];
    link.op = job_.make_operator(task_place_, l);
    for (ChainedEdge* edge : link.edges_in) edge->connect(*link.op);
    link.opened = true;
    link.op->open(link.context);
  }
  position_.failed_link = -1;
}

bool OperatorChain::is_source() const {
  return job_.graph().vertices[task_.links.front().vertices.front()].source;
}
Progress OperatorChain::run(std::uint32_t records) {
  const RunningLink runs(position_, 0, true);
  return links_.front().op->run(records);
}
void OperatorChain::process(std::uint32_t input, Batch& batch) {
  const RunningLink runs(position_, 0, true, batch.size());
  if (const auto check = checks_.find(input); check != checks_.end())
    check->second.expect(batch.type(), *links_.front().op, input);
  links_.front().op->process(input, batch);
}
void OperatorChain::watermark(std::int64_t timestamp) {
  const RunningLink runs(position_, 0);
  Link& head = links_.front();
  head.services ? head.services->watermark(timestamp) : head.op->watermark(timestamp);
}

Services& OperatorChain::services_of(std::uint32_t l) {
  Link& link = links_[l];
  if (link.services) return *link.services;
  std::vector<TaskOutput*> outputs;
  for (const auto& stage : link.context.stages) {
    for (const auto& output : stage->outputs) outputs.push_back(output.get());
  }
  Context& vertex = *link.context.stages.back();
  link.services = std::make_unique<Services>(
      Services::Place{*link.op, l, position_, std::move(outputs), vertex, vertex.place()},
      services_, *host_);
  for (ChainedEdge* edge : link.edges_in) edge->connect(*link.services);
  attended_.push_back(link.services.get());
  return *link.services;
}

// What a link lets go runs through those behind it: the innermost that throws is the one.
template <class Call>
void OperatorChain::each_link(Call&& call) {
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    const RunningLink runs(position_, l);
    try {
      call(links_[l]);
    } catch (...) {
      position_.note_failure_of(l);
      throw;
    }
  }
}

void OperatorChain::end_of_input(std::uint32_t input) {
  const RunningLink runs(position_, 0);
  Link& head = links_.front();
  head.services ? head.services->end_of_input(input) : head.op->end_of_input(input);
}

void OperatorChain::end_of_inputs(std::uint32_t last) {
  each_link([&](Link& link) {
    const std::uint32_t input = std::exchange(last, 0);  // a chained operator has one, 0
    link.services ? link.services->finish(input) : link.op->end_of_input(input);
  });
}

void OperatorChain::attend() {
  // By number: what one emits may make the next ask for its services.
  for (std::size_t i = 0; i < attended_.size(); ++i) attended_[i]->attend();
}

std::int64_t OperatorChain::next_due_ns() const {
  std::int64_t next = INT64_MAX;
  for (const Services* services : attended_) next = std::min(next, services->next_due_ns());
  return next;
}

std::map<std::uint32_t, MetricValues> OperatorChain::user_metrics() const {
  std::map<std::uint32_t, MetricValues> values;
  for (const Link& link : links_) {
    for (const auto& stage : link.context.stages) {
      if (MetricValues of = stage->user_metrics(); !of.empty()) {
        values.emplace(stage->place(), std::move(of));
      }
    }
  }
  return values;
}

void OperatorChain::input_ran_dry() {
  each_link([](Link& link) { link.op->input_ran_dry(); });
  flush();
  for (OutputEdge* edge : outer_edges_) edge->trim();
}

void OperatorChain::flush() {
  for (OutputEdge* edge : outer_edges_) edge->flush();
}
void OperatorChain::end_outputs() {
  for (OutputEdge* edge : outer_edges_) edge->end();
}

std::vector<Committable> OperatorChain::prepare_commit() {
  std::vector<Committable> committables;
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    const RunningLink runs(position_, l);
    position_.failed_link = static_cast<int>(l);
    const auto& stages = links_[l].context.stages;
    for (std::uint32_t stage = 0; stage < stages.size(); ++stage) {
      std::optional<std::string> bytes = links_[l].op->prepare_commit(stage);
      if (!bytes) continue;
      prepared_.push_back({l, stage, *bytes});
      if (bytes->size() > Committable::kLargest) {
        throw detail::StageFailure{
            stage, 0,
            "it has prepared " + std::to_string(bytes->size()) + " bytes to be committed, and " +
                std::to_string(Committable::kLargest) +
                " are the most: let prepare_commit() give the name of what it has prepared"};
      }
      committables.push_back({stages[stage]->place(), subtask_, *std::move(bytes)});
    }
  }
  position_.failed_link = -1;
  return committables;
}

void OperatorChain::abort_prepared() {
  for (const Prepared& prepared : std::exchange(prepared_, {})) {
    try {
      links_[prepared.link].op->abort_prepared(prepared.stage, prepared.bytes);
    } catch (const Canceled&) {
    } catch (...) {
      spdlog::warn("what was prepared is left: {}", detail::current_exception_message());
    }
  }
}

bool OperatorChain::commits() const {
  return std::any_of(links_.begin(), links_.end(),
                     [](const Link& link) { return link.op->commits(); });
}

void OperatorChain::commit() {
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    const RunningLink runs(position_, l);
    position_.failed_link = static_cast<int>(l);
    links_[l].op->commit();
  }
  position_.failed_link = -1;
}

void OperatorChain::close() {
  for (Services* services : attended_) services->end();
  std::exception_ptr first;
  int failed = -1;
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    if (!std::exchange(links_[l].opened, false)) continue;
    const RunningLink runs(position_, l);
    try {
      links_[l].op->close();
    } catch (...) {
      if (!first) {
        first = std::current_exception();
        failed = static_cast<int>(l);
      }
    }
  }
  position_.failed_link = failed;
  if (first) std::rethrow_exception(first);
}

const RecordType* OperatorChain::input_type(std::uint32_t input) const {
  return links_.front().op->input_type(input);
}

void OperatorChain::write_to(CrashText& to) const noexcept {
  const int running = position_.link.load(std::memory_order_relaxed);
  if (running < 0) return;
  const auto link = static_cast<std::size_t>(running);
  for (const std::uint32_t vertex : task_.links[link].vertices)
    to.field("operator").field(job_.graph().vertices[vertex].name).end_line();
  to.field("subtask").field(subtask_).end_line();
  if (!position_.processes.load(std::memory_order_relaxed)) return;
  // Counted once the batch is done.
  const StageMetrics& before = links_[link].context.stages.front()->metrics;
  const bool source = link == 0 && is_source();
  const auto& counter = source ? before.records_out : before.records_in;
  to.field("records").field(counter.load(std::memory_order_relaxed) + 1);
  to.field(position_.rows.load(std::memory_order_relaxed)).end_line();
}

FailureInfo OperatorChain::current_failure() const {
  FailureInfo failure;
  failure.subtask = subtask_;
  const auto& vertices =
      task_.links[position_.failed_link < 0 ? 0 : static_cast<std::size_t>(position_.failed_link)]
          .vertices;
  std::uint32_t stage = 0;
  const auto at = [&](std::uint32_t its_stage, std::uint64_t its_record) {
    if (position_.stage_is_of_one_before) return;
    stage = its_stage;
    failure.record = its_record;
  };
  try {
    throw;
  } catch (const detail::StageFailure& thrown) {
    at(thrown.stage, thrown.record);
    failure.message = thrown.message;
  } catch (const detail::CanceledStage& thrown) {
    at(thrown.stage, thrown.record);
    failure.message = thrown.what();
  } catch (...) {
    failure.message = detail::current_exception_message();
  }
  const std::uint32_t vertex = vertices[stage < vertices.size() ? stage : 0];
  failure.operator_name = job_.graph().vertices[vertex].name;
  return failure;
}

}  // namespace freshet::core
