// What holds of every JobGraph that is run, wherever it came from.
#include <algorithm>
#include <limits>
#include <set>
#include <string_view>

#include "freshet/error.h"
#include "freshet/plugin/job_graph.h"

namespace freshet {
namespace {

constexpr std::uint32_t kParallelismBound = 32768;

bool is_hex(std::string_view text, std::size_t size) {
  return text.size() == size && text.find_first_not_of("0123456789abcdef") == text.npos;
}

bool is_plain_file_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         name.find('/') == name.npos && name.find('\0') == name.npos;
}

bool between_single_subtasks(const JobGraph& graph, const JobEdge& edge) {
  return graph.vertices[edge.from].parallelism == 1 && graph.vertices[edge.to].parallelism == 1;
}

class Validation {
 public:
  explicit Validation(const JobGraph& graph)
      : graph_(graph), inputs_(graph.vertices.size()), outputs_(graph.vertices.size()) {}

  void run() {
    if (!is_hex(graph_.id, 32)) refuse("its id '" + graph_.id + "' is not 32 hex digits");
    if (graph_.vertices.empty()) refuse("it has no operators");
    check_modules();
    for (std::uint32_t v = 0; v < graph_.vertices.size(); ++v) check_vertex(v);
    check_ids_differ();
    for (std::uint32_t e = 0; e < graph_.edges.size(); ++e) check_edge(e);
    check_inputs();
    check_no_cycle();
    check_tasks();
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    throw InvalidInput("job '" + graph_.name + "' can't be run: " + what);
  }
  std::string vertex_name(std::uint32_t v) const {
    return "operator '" + graph_.vertices[v].name + "' (vertex " + std::to_string(v) + ")";
  }
  std::string edge_name(const JobEdge& edge) const {
    return "the edge from " + vertex_name(edge.from) + " to " + vertex_name(edge.to);
  }

  void check_modules() const {
    std::set<std::string_view> names;
    for (const JobModule& module : graph_.modules) {
      if (!is_hex(module.sha256, 64)) {
        refuse("the sha256 '" + module.sha256 + "' of module '" + module.name +
               "' is not 64 hex digits");
      }
      if (!is_plain_file_name(module.name)) {
        refuse("module name '" + module.name + "' is not a plain file name");
      }
      if (!names.insert(module.name).second) {
        refuse("two modules are named '" + module.name + "': rename one of the files");
      }
    }
  }

  void check_operator(const OperatorReference& op, const std::string& owner) const {
    if (op.module >= graph_.modules.size()) {
      refuse(owner + " is of module " + std::to_string(op.module) + ", the job has " +
             std::to_string(graph_.modules.size()));
    }
  }

  void check_vertex(std::uint32_t v) const {
    const JobVertex& vertex = graph_.vertices[v];
    if (!is_hex(vertex.id, 32)) {
      refuse("the id '" + vertex.id + "' of " + vertex_name(v) + " is not 32 hex digits");
    }
    check_operator(vertex.op, vertex_name(v));
    if (vertex.max_parallelism == 0 || vertex.max_parallelism > kParallelismBound) {
      refuse("the maximum parallelism " + std::to_string(vertex.max_parallelism) + " of " +
             vertex_name(v) + " is not in 1 to " + std::to_string(kParallelismBound));
    }
    if (vertex.parallelism == 0 || vertex.parallelism > vertex.max_parallelism) {
      refuse("the parallelism " + std::to_string(vertex.parallelism) + " of " + vertex_name(v) +
             " is not in 1 to its maximum parallelism " + std::to_string(vertex.max_parallelism));
    }
    check_payload(v);
  }

  void check_payload(std::uint32_t v) const {
    const JobPayload& payload = graph_.vertices[v].payload;
    std::uint64_t free_from = 0;
    for (const JobPayload::Code& code : payload.code) {
      if (code.offset < free_from || code.offset + std::uint64_t{8} > payload.bytes.size()) {
        refuse("the function at byte " + std::to_string(code.offset) + " of " + vertex_name(v) +
               " overlaps another or leaves the payload of " +
               std::to_string(payload.bytes.size()) + " bytes");
      }
      if (code.module >= graph_.modules.size()) {
        refuse("a function of " + vertex_name(v) + " is of module " + std::to_string(code.module) +
               ", the job has " + std::to_string(graph_.modules.size()));
      }
      free_from = code.offset + std::uint64_t{8};
    }
  }

  void check_ids_differ() const {
    std::vector<std::uint32_t> order(graph_.vertices.size());
    for (std::uint32_t v = 0; v < order.size(); ++v) order[v] = v;
    const auto by_id = [&](std::uint32_t a, std::uint32_t b) {
      return graph_.vertices[a].id < graph_.vertices[b].id;
    };
    std::sort(order.begin(), order.end(), by_id);
    for (std::size_t i = 1; i < order.size(); ++i) {
      if (!by_id(order[i - 1], order[i])) {
        refuse(vertex_name(order[i - 1]) + " and " + vertex_name(order[i]) + " have one id, '" +
               graph_.vertices[order[i]].id + "'");
      }
    }
  }

  void check_edge(std::uint32_t e) {
    const JobEdge& edge = graph_.edges[e];
    if (edge.from >= graph_.vertices.size() || edge.to >= graph_.vertices.size()) {
      refuse("edge " + std::to_string(e) + " goes from vertex " + std::to_string(edge.from) +
             " to " + std::to_string(edge.to) + ", the job has " +
             std::to_string(graph_.vertices.size()));
    }
    const JobVertex& from = graph_.vertices[edge.from];
    const JobVertex& to = graph_.vertices[edge.to];
    if (edge.output >= from.outputs.size()) {
      refuse(edge_name(edge) + " takes output " + std::to_string(edge.output) + ", there are " +
             std::to_string(from.outputs.size()));
    }
    if (edge.fingerprint != from.outputs[edge.output].fingerprint) {
      refuse(edge_name(edge) + " carries the schema " + std::to_string(edge.fingerprint) +
             ", the output has " + std::to_string(from.outputs[edge.output].fingerprint));
    }
    if (edge.exchange == ExchangeKind::kBlocking) {
      refuse(edge_name(edge) +
             " is a blocking exchange, which this version does not have: use a "
             "pipelined one");
    }
    if (edge.partitioning == Partitioning::kForward && from.parallelism != to.parallelism) {
      refuse(edge_name(edge) + " is forward, with parallelism " + std::to_string(from.parallelism) +
             " and " + std::to_string(to.parallelism));
    }
    if (edge.chained && edge.partitioning != Partitioning::kForward &&
        !between_single_subtasks(graph_, edge)) {
      refuse(edge_name(edge) + " is chained, with partitioning " + name_of(edge.partitioning));
    }
    outputs_[edge.from].push_back(e);
    inputs_[edge.to].push_back(e);
  }

  void check_inputs() const {
    for (std::uint32_t v = 0; v < graph_.vertices.size(); ++v) {
      if (graph_.vertices[v].source != inputs_[v].empty()) {
        refuse(vertex_name(v) + (inputs_[v].empty() ? " is no source and has no input"
                                                    : " is a source and has an input"));
      }
      for (const std::uint32_t e : inputs_[v]) {
        if (graph_.edges[e].chained && inputs_[v].size() != 1) {
          refuse(edge_name(graph_.edges[e]) + " is chained, to an operator with " +
                 std::to_string(inputs_[v].size()) + " inputs");
        }
        // Inputs are numbered without a gap, so that no number drives an allocation.
        if (graph_.edges[e].input >= inputs_[v].size()) {
          refuse(edge_name(graph_.edges[e]) + " leads to input " +
                 std::to_string(graph_.edges[e].input) + ", there are " +
                 std::to_string(inputs_[v].size()));
        }
      }
    }
  }

  void check_no_cycle() const {
    std::vector<std::size_t> waiting(graph_.vertices.size());
    std::vector<std::uint32_t> ready;
    for (std::uint32_t v = 0; v < waiting.size(); ++v) {
      waiting[v] = inputs_[v].size();
      if (waiting[v] == 0) ready.push_back(v);
    }
    std::size_t done = 0;
    for (; !ready.empty(); ++done) {
      const std::uint32_t v = ready.back();
      ready.pop_back();
      for (const std::uint32_t e : outputs_[v]) {
        if (--waiting[graph_.edges[e].to] == 0) ready.push_back(graph_.edges[e].to);
      }
    }
    if (done == waiting.size()) return;
    const auto on_cycle = std::find_if(waiting.begin(), waiting.end(), [](auto n) { return n; });
    refuse(vertex_name(static_cast<std::uint32_t>(on_cycle - waiting.begin())) +
           " lies on a cycle, or behind one");
  }

  // A task is a tree of links: each but the first hangs by a chained edge on the end of one before.
  void check_tasks() {
    constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    task_of_.assign(graph_.vertices.size(), kNone);
    for (std::uint32_t t = 0; t < graph_.tasks.size(); ++t) check_task(t);
    for (std::uint32_t v = 0; v < graph_.vertices.size(); ++v) {
      if (task_of_[v] == kNone) refuse(vertex_name(v) + " is in no task");
    }
    for (const JobEdge& edge : graph_.edges) {
      if (edge.chained != (task_of_[edge.from] == task_of_[edge.to])) {
        refuse(edge_name(edge) + (edge.chained ? " is chained, between two tasks"
                                               : " is not chained, inside one task"));
      }
    }
  }

  void check_task(std::uint32_t t) {
    const JobTask& task = graph_.tasks[t];
    const std::string name = "task " + std::to_string(t);
    if (task.links.empty()) refuse(name + " is empty");
    std::set<std::uint32_t> ends;  // last vertices of the links so far
    for (const JobLink& link : task.links) {
      if (link.vertices.empty()) refuse("a link of " + name + " is empty");
      check_operator(link.op, "a link of " + name);
      std::uint32_t before = 0;
      for (std::size_t i = 0; i < link.vertices.size(); ++i) {
        const std::uint32_t v = link.vertices[i];
        if (v >= graph_.vertices.size()) {
          refuse(name + " has vertex " + std::to_string(v) + ", the job has " +
                 std::to_string(graph_.vertices.size()));
        }
        if (task_of_[v] != UINT32_MAX) refuse(vertex_name(v) + " is in two tasks, or twice in one");
        task_of_[v] = t;
        if (graph_.vertices[v].parallelism != task.parallelism) {
          refuse(name + " has parallelism " + std::to_string(task.parallelism) + ", its " +
                 vertex_name(v) + " has " + std::to_string(graph_.vertices[v].parallelism));
        }
        if (i != 0) {
          check_fused(before, v);
        } else if (!ends.empty() && !hangs_on(v, ends)) {
          refuse(vertex_name(v) + " is not chained to the end of a link before it in " + name);
        }
        before = v;
      }
      ends.insert(before);
    }
  }

  bool hangs_on(std::uint32_t v, const std::set<std::uint32_t>& ends) const {
    return inputs_[v].size() == 1 && graph_.edges[inputs_[v][0]].chained &&
           ends.count(graph_.edges[inputs_[v][0]].from) != 0;
  }

  void check_fused(std::uint32_t before, std::uint32_t v) const {
    const bool linear = inputs_[v].size() == 1 && outputs_[before].size() == 1;
    if (linear && inputs_[v][0] == outputs_[before][0]) {
      const JobEdge& edge = graph_.edges[inputs_[v][0]];
      if (edge.chained && edge.output == 0) return;
    }
    refuse(vertex_name(before) + " and " + vertex_name(v) +
           " run as one operator, but one does not simply follow the other");
  }

  const JobGraph& graph_;
  std::vector<std::vector<std::uint32_t>> inputs_, outputs_;  // edges, by vertex
  std::vector<std::uint32_t> task_of_;
};

}  // namespace

const char* name_of(Partitioning partitioning) {
  switch (partitioning) {
    case Partitioning::kForward:
      return "forward";
    case Partitioning::kHash:
      return "hash";
    case Partitioning::kRebalance:
      return "rebalance";
    case Partitioning::kRescale:
      return "rescale";
    case Partitioning::kShuffle:
      return "shuffle";
    case Partitioning::kBroadcast:
      return "broadcast";
    case Partitioning::kGlobal:
      return "global";
  }
  return "unknown";
}

void JobGraph::validate() const { Validation(*this).run(); }

}  // namespace freshet
