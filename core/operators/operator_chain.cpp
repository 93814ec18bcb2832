#include "operators/operator_chain.h"

#include <cassert>
#include <exception>

#include "freshet/error.h"
#include "task/clock.h"

namespace freshet {

// One vertex of the chain, as its functions see it.
class OperatorChain::Context final : public RuntimeContext {
 public:
  Context(JobServices& services, const JobVertex& vertex, std::uint32_t place,
          std::uint32_t subtask)
      : services_(services), vertex_(vertex), place_(place), subtask_(subtask) {}

  const std::string& job_name() const override { return services_.job_name(); }
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
  Output& side_output(std::uint32_t index) override { return *outputs.at(index); }
  std::int64_t now() const override { return SystemClock::instance().now_ns(); }

  std::vector<std::unique_ptr<TaskOutput>> outputs;
  StageMetrics metrics;

 private:
  JobServices& services_;
  const JobVertex& vertex_;
  std::uint32_t place_;
  std::uint32_t subtask_;
};

// What one operator of the chain, fused or single, is opened with.
class OperatorChain::LinkContext final : public OperatorContext {
 public:
  Output& output(std::uint32_t index) override { return *stages.back()->outputs.at(index); }
  RuntimeContext& stage(std::uint32_t index) override { return *stages.at(index); }
  StageMetrics& metrics(std::uint32_t index) override { return stages.at(index)->metrics; }

  std::vector<std::unique_ptr<Context>> stages;
};

struct OperatorChain::Link {
  LinkContext context;
  std::unique_ptr<Operator> op;
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
    Link& link = links_.emplace_back();
    for (const std::uint32_t v : task_.links[l].vertices) {
      auto context = std::make_unique<Context>(services_, graph.vertices[v], v, subtask);
      for (std::size_t o = 0; o < graph.vertices[v].outputs.size(); ++o) {
        context->outputs.push_back(std::make_unique<TaskOutput>(chained));
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
      auto chained_edge = std::make_unique<ChainedEdge>(to, edge.input, failed_link_);
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
}

OperatorChain::~OperatorChain() = default;

void OperatorChain::open() {
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    failed_link_ = static_cast<int>(l);
    Link& link = links_[l];
    link.op = job_.make_operator(task_place_, l);
    for (ChainedEdge* edge : link.edges_in) edge->connect(*link.op);
    link.opened = true;
    link.op->open(link.context);
  }
  failed_link_ = -1;
}

bool OperatorChain::is_source() const {
  return job_.graph().vertices[task_.links.front().vertices.front()].source;
}
Progress OperatorChain::run(std::uint32_t records) { return links_.front().op->run(records); }
void OperatorChain::process(std::uint32_t input, Batch& batch) {
  links_.front().op->process(input, batch);
}
void OperatorChain::watermark(std::int64_t timestamp) { links_.front().op->watermark(timestamp); }

// What a link lets go runs through those behind it: the innermost that throws is the one.
template <class Call>
void OperatorChain::each_link(Call&& call) {
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    try {
      call(*links_[l].op);
    } catch (...) {
      if (failed_link_ < 0) failed_link_ = static_cast<int>(l);
      throw;
    }
  }
}

void OperatorChain::end_of_input() {
  each_link([](Operator& op) { op.end_of_input(0); });
}

void OperatorChain::input_ran_dry() {
  each_link([](Operator& op) { op.input_ran_dry(); });
  flush();
  for (OutputEdge* edge : outer_edges_) edge->trim();
}

void OperatorChain::flush() {
  for (OutputEdge* edge : outer_edges_) edge->flush();
}
void OperatorChain::end_outputs() {
  for (OutputEdge* edge : outer_edges_) edge->end();
}

void OperatorChain::commit() {
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    failed_link_ = static_cast<int>(l);
    links_[l].op->commit();
  }
  failed_link_ = -1;
}

void OperatorChain::close() {
  std::exception_ptr first;
  int failed = -1;
  for (std::uint32_t l = 0; l < links_.size(); ++l) {
    if (!std::exchange(links_[l].opened, false)) continue;
    try {
      links_[l].op->close();
    } catch (...) {
      if (!first) {
        first = std::current_exception();
        failed = static_cast<int>(l);
      }
    }
  }
  failed_link_ = failed;
  if (first) std::rethrow_exception(first);
}

FailureInfo OperatorChain::current_failure() const {
  FailureInfo failure;
  failure.subtask = subtask_;
  const auto& vertices =
      task_.links[failed_link_ < 0 ? 0 : static_cast<std::size_t>(failed_link_)].vertices;
  std::uint32_t stage = 0;
  try {
    throw;
  } catch (const detail::StageFailure& thrown) {
    stage = thrown.stage;
    failure.record = thrown.record;
    failure.message = thrown.message;
  } catch (...) {
    failure.message = detail::current_exception_message();
  }
  const std::uint32_t vertex = vertices[stage < vertices.size() ? stage : 0];
  failure.operator_name = job_.graph().vertices[vertex].name;
  return failure;
}

}  // namespace freshet
