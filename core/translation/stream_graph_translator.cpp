#include "translation/stream_graph_translator.h"

#include <algorithm>
#include <cassert>
#include <map>
#include <set>
#include <utility>

#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/stream_graph.h"
#include "translation/capture_scan.h"
#include "translation/chaining.h"
#include "translation/completion.h"
#include "translation/stable_id.h"

namespace freshet::core {
namespace {

constexpr auto kParallelismBound = static_cast<std::uint32_t>(kParallelismLimit);

// From what __PRETTY_FUNCTION__ says in pretty_name<T>(): "... [with T = Map<...>]" by gcc,
// "... [T = Map<...>]" by clang. Any other name stays as it is.
std::string type_in(std::string_view pretty) {
  const std::size_t begin = pretty.find("T = ");
  if (begin == std::string_view::npos || pretty.back() != ']') return std::string(pretty);
  return std::string(pretty.substr(begin + 4, pretty.size() - begin - 5));
}

std::string quoted(const std::string& text) { return "'" + text + "'"; }

// One call of translate(): each step reads what the ones before it have put into the job.
class Translation {
 public:
  Translation(const StreamGraph& pipeline, const Configuration& configuration,
              ProcessModules& modules)
      : pipeline_(pipeline), configuration_(configuration), modules_(modules) {}

  JobGraph run() {
    job_.name = configuration_.find(options::kPipelineName).value_or(pipeline_.job_name);
    if (job_.name.empty()) job_.name = "job";
    check_shape();
    settle_runtime_mode();
    for (std::uint32_t v = 0; v < size(); ++v) add_vertex(v);
    set_ids();
    for (std::uint32_t v = 0; v < size(); ++v) {
      for (const StreamEdge& edge : vertex(v).inputs) add_edge(edge, v);
    }
    set_operators();
    set_tasks();
    for (const auto& [key, entry] : configuration_.of_scope(Scope::kJob).to_entries()) {
      job_.settings.emplace(key, entry.text);
    }
    return std::move(job_);
  }

 private:
  std::uint32_t size() const { return static_cast<std::uint32_t>(pipeline_.vertices().size()); }
  const StreamVertex& vertex(std::uint32_t v) const { return pipeline_.vertices()[v]; }
  const std::string& name_of(std::uint32_t v) const {
    return vertex(v).name.empty() ? vertex(v).kind : vertex(v).name;
  }

  void check_shape() const {
    if (size() == 0) {
      throw InvalidInput("job " + quoted(job_.name) +
                         " has no operators: add a source and a sink before execute()");
    }
    const auto is_sink = [](const StreamVertex& v) { return v.outputs.empty(); };
    if (std::none_of(pipeline_.vertices().begin(), pipeline_.vertices().end(), is_sink)) {
      throw InvalidInput("job " + quoted(job_.name) + " has no sink, the last of its " +
                         std::to_string(size()) + " operators is " + quoted(name_of(size() - 1)) +
                         ": end a stream with print(), discard(), or another sink");
    }
    for (std::uint32_t v = 0; v < size(); ++v) {
      if (vertex(v).source != vertex(v).inputs.empty()) {
        throw InvalidInput("operator " + quoted(name_of(v)) +
                           (vertex(v).source ? " is a source and has an input: take it out"
                                             : " is no source and has no input: give it one"));
      }
    }
  }

  void settle_runtime_mode() {
    const auto is_unbounded = [](const StreamVertex& v) { return v.source && !v.bounded; };
    const auto unbounded =
        std::find_if(pipeline_.vertices().begin(), pipeline_.vertices().end(), is_unbounded);
    const bool all_bounded = unbounded == pipeline_.vertices().end();
    switch (configuration_.get(options::kExecutionRuntimeMode)) {
      case RuntimeMode::kStreaming:
        job_.batch = false;
        break;
      case RuntimeMode::kAutomatic:
        job_.batch = all_bounded;
        break;
      case RuntimeMode::kBatch:
        if (!all_bounded) {
          const auto v = static_cast<std::uint32_t>(unbounded - pipeline_.vertices().begin());
          throw InvalidInput(
              "execution.runtime-mode is batch, but source " + quoted(name_of(v)) +
              " is unbounded: set it to streaming or automatic, or bound the source");
        }
        job_.batch = true;
        break;
    }
  }

  void add_vertex(std::uint32_t v) {
    const StreamVertex& from = vertex(v);
    JobVertex to;
    to.kind = from.kind;
    to.name = name_of(v);
    to.uid = from.uid;
    to.source = from.source;
    to.bounded = from.bounded;
    to.max_parallelism = max_parallelism_of(v);
    to.parallelism = parallelism_of(v, to.max_parallelism);
    for (const RecordType* type : from.outputs) {
      const Schema& schema = type->schema();
      to.outputs.push_back(
          {schema.text(), schema.fingerprint(), schema.uses_msgpack(), schema.text_with_names()});
    }
    job_.vertices.push_back(std::move(to));
  }

  std::uint32_t max_parallelism_of(std::uint32_t v) const {
    const std::uint32_t most =
        vertex(v).max_parallelism != 0
            ? vertex(v).max_parallelism
            : static_cast<std::uint32_t>(configuration_.get(options::kPipelineMaxParallelism));
    if (most == 0 || most > kParallelismBound) {
      throw InvalidInput("maximum parallelism " + std::to_string(most) + " of " +
                         quoted(name_of(v)) + " is not in 1 to " +
                         std::to_string(kParallelismBound) + ": choose one that is");
    }
    return most;
  }

  std::uint32_t parallelism_of(std::uint32_t v, std::uint32_t most) const {
    const StreamVertex& from = vertex(v);
    if (from.fixed_parallelism != 0 && from.parallelism != 0 &&
        from.parallelism != from.fixed_parallelism) {
      throw InvalidInput("parallelism " + std::to_string(from.parallelism) + " of " +
                         quoted(name_of(v)) + " can't be: this operator runs with parallelism " +
                         std::to_string(from.fixed_parallelism) +
                         " only; set it on the operators after it");
    }
    std::uint32_t wanted = from.fixed_parallelism != 0 ? from.fixed_parallelism : from.parallelism;
    if (wanted == 0 && from.parallelism_of_input && from.inputs.front().automatic) {
      return job_.vertices[from.inputs.front().from].parallelism;
    }
    if (wanted == 0) {
      wanted = static_cast<std::uint32_t>(configuration_.get(options::kParallelismDefault));
    }
    if (wanted == 0) {
      throw InvalidInput("parallelism 0 of " + quoted(name_of(v)) +
                         " can't be: set it to 1 or more");
    }
    if (wanted > most) {
      throw InvalidInput(
          "parallelism " + std::to_string(wanted) + " of " + quoted(name_of(v)) +
          " is above the maximum parallelism " + std::to_string(most) + ": lower it or raise " +
          (from.max_parallelism != 0 ? "its maximum parallelism" : "pipeline.max-parallelism"));
    }
    return wanted;
  }

  void set_ids() {
    std::vector<std::string> positions;
    std::map<std::string, std::uint64_t> alike;
    std::map<std::string, std::uint32_t> by_uid;
    for (std::uint32_t v = 0; v < size(); ++v) {
      std::string description = vertex(v).kind;
      for (const StreamEdge& edge : vertex(v).inputs) {
        assert(edge.from < v);
        description += "\n" + positions[edge.from] + "." + std::to_string(edge.output) + ">" +
                       std::to_string(edge.input);
      }
      const std::string before = std::to_string(alike[description]++);
      positions.push_back(stable_id({"position", description, before}));
      const std::string& uid = vertex(v).uid;
      job_.vertices[v].id = uid.empty() ? positions[v] : stable_id({"uid", uid});
      if (uid.empty()) continue;
      const auto [first, is_new] = by_uid.emplace(uid, v);
      if (!is_new) {
        throw InvalidInput("uid " + quoted(uid) + " is used by two operators, " +
                           quoted(name_of(first->second)) + " and " + quoted(name_of(v)) +
                           ": give each a uid of its own");
      }
    }
  }

  void add_edge(const StreamEdge& from, std::uint32_t to) {
    const auto between = [&] {
      return "from " + quoted(name_of(from.from)) + " to " + quoted(name_of(to));
    };
    const StreamVertex& producer = vertex(from.from);
    if (from.output >= producer.outputs.size()) {
      throw InvalidInput("the edge " + between() + " takes output " + std::to_string(from.output) +
                         ", there are " + std::to_string(producer.outputs.size()) +
                         ": a sink has none");
    }
    const RecordType& type = *producer.outputs[from.output];
    check_records_agree(type, from, to);
    if (from.exchange == ExchangeKind::kBlocking) {
      throw InvalidInput("the edge " + between() +
                         " is a blocking exchange, which this version does not have: use a "
                         "pipelined one");
    }

    const std::uint32_t source_parallelism = job_.vertices[from.from].parallelism;
    const std::uint32_t target_parallelism = job_.vertices[to].parallelism;
    JobEdge edge;
    edge.from = from.from;
    edge.output = from.output;
    edge.to = to;
    edge.input = from.input;
    edge.exchange = from.exchange;
    edge.fingerprint = job_.vertices[from.from].outputs[from.output].fingerprint;
    edge.partitioning = !from.automatic                            ? from.partitioning
                        : source_parallelism == target_parallelism ? Partitioning::kForward
                                                                   : Partitioning::kRebalance;
    if (edge.partitioning == Partitioning::kForward && source_parallelism != target_parallelism) {
      throw InvalidInput("the edge " + between() + " is forward, but their parallelism is " +
                         std::to_string(source_parallelism) + " and " +
                         std::to_string(target_parallelism) +
                         ": make them equal, or use rebalance() or rescale()");
    }
    if (edge.partitioning == Partitioning::kHash && !type.keyed) {
      throw InvalidInput("the edge " + between() + " partitions by hash, but its records " +
                         type.schema().text() + " carry no key: use key_by()");
    }
    job_.edges.push_back(edge);
  }

  // Equal schemas are equal bytes. A batch is handed on as it lies in memory, so that must be
  // equal, too: string and string_view are the same bytes and not the same rows.
  void check_records_agree(const RecordType& type, const StreamEdge& edge, std::uint32_t to) {
    if (edge.expects == nullptr || edge.expects == &type) return;
    const RecordType& expected = *edge.expects;
    const auto refuse = [&](const std::string& sent, const std::string& read) {
      throw InvalidInput(quoted(name_of(edge.from)) + " sends records " + sent + ", " +
                         quoted(name_of(to)) + " reads " + read +
                         ": build their modules against one definition of the record type");
    };
    if (type.schema().fingerprint() != expected.schema().fingerprint()) {
      refuse(type.schema().text(), expected.schema().text());
    }
    if (type.size != expected.size || type.align != expected.align) {
      const auto layout = [](const RecordType& t) {
        return t.schema().text() + " of " + std::to_string(t.size) + " bytes aligned to " +
               std::to_string(t.align);
      };
      refuse(layout(type), layout(expected));
    }
    check_names_agree(type, quoted(name_of(edge.from)), expected, quoted(name_of(to)));
  }

  // Of records with equal schemas, which are matched by the places of their fields.
  void check_names_agree(const RecordType& sent, const std::string& writer, const RecordType& read,
                         const std::string& reader) {
    const Schema::Names names = sent.schema().compare_names(read.schema());
    if (names == Schema::Names::kAlike) return;
    const std::string both = writer + " sends records " + sent.schema().text_with_names() + ", " +
                             reader + " reads " + read.schema().text_with_names() +
                             ": fields are matched by their place, ";
    if (names == Schema::Names::kOtherOrder) {
      throw InvalidInput(both +
                         "and these names stand in another order: put the fields of the "
                         "job's struct into the operator's order");
    }
    job_.warnings.push_back(both + "and these have other names: see that they mean the same");
  }

  // What the job says of the records around a registered operator, and what that says itself.
  void check_names_of_registered(std::uint32_t v, const OperatorDescriptor& registered) {
    const std::string op = quoted(name_of(v));
    const auto are_equal = [](const RecordType& a, const RecordType& b) {
      return a.schema().fingerprint() == b.schema().fingerprint();
    };
    for (const StreamEdge& edge : vertex(v).inputs) {
      const RecordType& sent = *vertex(edge.from).outputs[edge.output];
      if (registered.reads == nullptr || edge.input != 0) continue;
      if (!are_equal(sent, registered.reads())) continue;  // told when the first records come
      check_names_agree(sent, quoted(name_of(edge.from)), registered.reads(), op);
    }
    if (registered.writes == nullptr || vertex(v).outputs.empty()) return;
    const RecordType& read = *vertex(v).outputs.front();
    if (are_equal(registered.writes(), read)) {
      check_names_agree(registered.writes(), op, read, "the job");
    }
  }

  void set_operators() {
    const ProcessModules::RangeOf range_of = modules_.mapped_memory();
    for (std::uint32_t v = 0; v < size(); ++v) {
      const StreamVertex& from = vertex(v);
      const OperatorDescriptor* descriptor = from.descriptor;
      if (descriptor == nullptr) descriptor = modules_.find_operator(from.registered_name);
      if (descriptor == nullptr) {
        throw UnknownOperator("operator " + quoted(name_of(v)) + " is registered as " +
                              quoted(from.registered_name) +
                              ", which no loaded module has: load the plugin that has it");
      }
      if (from.descriptor == nullptr) check_names_of_registered(v, *descriptor);
      job_.vertices[v].op = reference_to(descriptor, from.module);
      job_.vertices[v].coordinated = descriptor->make_coordinator != nullptr;
      set_payload(v, range_of);
    }
  }

  OperatorReference reference_to(const OperatorDescriptor* descriptor, const ModuleAnchor* anchor) {
    const ProcessModules::Place place = modules_.place_of(descriptor, anchor);
    return {number_of(place.module), place.offset,
            descriptor->registered_name != nullptr ? descriptor->registered_name : "",
            type_in(descriptor->type_name != nullptr ? descriptor->type_name : "")};
  }

  std::uint32_t number_of(const JobModule& module) {
    for (std::uint32_t m = 0; m < job_.modules.size(); ++m) {
      if (job_.modules[m].sha256 == module.sha256) return m;
    }
    job_.modules.push_back(module);
    return static_cast<std::uint32_t>(job_.modules.size() - 1);
  }

  void set_payload(std::uint32_t v, const ProcessModules::RangeOf& range_of) {
    const StreamVertex& from = vertex(v);
    JobPayload& to = job_.vertices[v].payload;
    to.bytes = from.payload.bytes;
    for (const Payload::Code& code : from.payload.code) {
      const auto place = modules_.place_of_code(code.address);
      if (!place) {
        const std::string range = range_of(reinterpret_cast<std::uintptr_t>(code.address));
        throw InvalidInput(
            "operator " + quoted(name_of(v)) + " holds a pointer to a function, at byte " +
            std::to_string(code.offset) + " of its payload, that is in no module of the job (" +
            (code.address == nullptr ? "it is null"
             : range.empty()         ? "nothing is there"
                                     : range) +
            "): call the function from a lambda instead");
      }
      to.code.push_back({code.offset, number_of(place->module), place->offset});
    }
    if (from.captures_no_pointers) return;
    if (const auto pointer = find_captured_pointer(from.payload, range_of)) {
      throw InvalidInput("operator " + quoted(name_of(v)) + " captures a pointer at byte " +
                         std::to_string(pointer->offset) + " of its function object, into " +
                         pointer->range +
                         ", which another process does not have: capture values, or bind them as "
                         "arguments; if it is a number, say captures_no_pointers()");
    }
  }

  void set_tasks() {
    chain_edges(pipeline_, configuration_.get(options::kPipelineOperatorChaining), job_);
    std::vector<FusedRun> runs;
    if (configuration_.get(options::kPipelineFusion)) runs = choose_fused_runs(pipeline_, job_);
    std::map<std::uint32_t, const FusedCandidate*> kernel_from;
    for (const FusedRun& run : runs) kernel_from.emplace(run.vertices.front(), run.kernel);
    job_.tasks = make_tasks(job_, runs);
    for (JobTask& task : job_.tasks) {
      for (JobLink& link : task.links) {
        const auto kernel = kernel_from.find(link.vertices.front());
        if (kernel == kernel_from.end()) continue;
        link.op = reference_to(kernel->second->descriptor, kernel->second->module);
      }
    }
  }

  const StreamGraph& pipeline_;
  const Configuration& configuration_;
  ProcessModules& modules_;
  JobGraph job_;
};

}  // namespace

StreamGraphTranslator::~StreamGraphTranslator() = default;

std::string_view StreamGraphTranslator::kind() const { return StreamGraph::kKind; }

JobGraph StreamGraphTranslator::translate(const Pipeline& pipeline,
                                          const Configuration& configuration) const {
  assert(pipeline.kind() == StreamGraph::kKind);
  const auto& stream_graph = static_cast<const StreamGraph&>(pipeline);
  JobGraph job = Translation(stream_graph, configuration, modules_).run();
  job.id = job_ids_.next(configuration.find(options::kApplicationId).value_or(""), job.name,
                         stream_graph.job_uid);
  return job;
}

}  // namespace freshet::core
