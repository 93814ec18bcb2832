#include "graph/plan_printer.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "freshet/config_option.h"

namespace freshet::core {
namespace {

// Names come from users: nothing in them may move the cursor of a terminal.
std::string shown(const std::string& text) {
  std::string out = text;
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

std::string quoted(const std::string& text) { return "'" + shown(text) + "'"; }

std::string dot_text(const std::string& text) {
  std::string out;
  for (const char c : shown(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string hex(std::uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof digits, "%016llx", static_cast<unsigned long long>(value));
  return digits;
}

const char* name_of(ModuleKind kind) {
  switch (kind) {
    case ModuleKind::kShipped:
      return "shipped";
    case ModuleKind::kInstalled:
      return "installed";
    case ModuleKind::kExecutable:
      return "executable";
  }
  return "unknown";
}

const char* mode_of(const JobGraph& job) { return job.batch ? "batch" : "streaming"; }

std::string counted(std::size_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

}  // namespace

PlanPrinter::PlanPrinter(const JobGraph& job)
    : job_(job), link_of_(job.vertices.size()), edges_to_(job.vertices.size()) {
  for (const JobEdge& edge : job.edges) edges_to_[edge.to].push_back(&edge);
  std::uint32_t number = 0;
  for (const JobTask& task : job.tasks) {
    for (const JobLink& link : task.links) {
      for (const std::uint32_t v : link.vertices) link_of_[v] = number;
      ++number;
    }
  }
}

bool PlanPrinter::is_fused(const JobEdge& edge) const {
  return link_of_[edge.from] == link_of_[edge.to];
}

std::string PlanPrinter::module_name(const OperatorReference& op) const {
  return shown(job_.modules[op.module].name);
}

std::string PlanPrinter::inputs_of(std::uint32_t vertex) const {
  std::string text;
  for (const JobEdge* to_here : edges_to_[vertex]) {
    const JobEdge& edge = *to_here;
    if (is_fused(edge)) continue;
    text += text.empty() ? "  <- " : ", ";
    text += std::to_string(edge.from);
    if (edge.output != 0) text += " (side output " + std::to_string(edge.output) + ")";
    text += std::string(" ") + freshet::name_of(edge.partitioning);
    if (edge.chained) text += ", chained";
    if (job_.vertices[edge.from].outputs[edge.output].uses_msgpack) text += ", MessagePack records";
  }
  return text;
}

std::string PlanPrinter::details_of(std::uint32_t v) const {
  const JobVertex& vertex = job_.vertices[v];
  const std::string indent(10, ' ');
  std::string text = indent + "id " + vertex.id + ", maximum parallelism " +
                     std::to_string(vertex.max_parallelism) + "\n";
  text += indent + "type " + shown(vertex.op.type_name) + " in " + module_name(vertex.op) + "\n";
  for (std::size_t i = 0; i < vertex.outputs.size(); ++i) {
    text += indent + (i == 0 ? "records " : "side output " + std::to_string(i) + " ") +
            shown(vertex.outputs[i].fields.empty() ? vertex.outputs[i].schema
                                                   : vertex.outputs[i].fields) +
            "\n";
  }
  return text;
}

std::string PlanPrinter::text(bool details) const {
  std::size_t subtasks = 0;
  for (const JobTask& task : job_.tasks) subtasks += task.parallelism;
  std::string text = "job " + quoted(job_.name) + ": " + mode_of(job_) + ", " +
                     counted(job_.vertices.size(), "operator") + " in " +
                     counted(job_.tasks.size(), "task") + ", " + counted(subtasks, "subtask") +
                     "\n";
  for (const std::string& warning : job_.warnings) text += "  warning: " + shown(warning) + "\n";
  if (details) {
    text += "  id " + job_.id + "\n";
    for (const JobModule& module : job_.modules) {
      text += "  module " + shown(module.name) + " (" + name_of(module.kind) + "), sha256 " +
              module.sha256 + "\n";
    }
    for (const auto& [key, value] : job_.settings) {
      text += "  " + shown(key) + ": " + (OptionCatalog::is_secret(key) ? "******" : shown(value)) +
              "\n";
    }
  }
  for (std::size_t t = 0; t < job_.tasks.size(); ++t) {
    const JobTask& task = job_.tasks[t];
    text +=
        "  task " + std::to_string(t) + ", parallelism " + std::to_string(task.parallelism) + "\n";
    for (const JobLink& link : task.links) {
      const bool fused = link.vertices.size() > 1;
      if (fused) {
        text += "    fused kernel of " + counted(link.vertices.size(), "operator") + "\n";
        if (details) {
          text +=
              "          type " + shown(link.op.type_name) + " in " + module_name(link.op) + "\n";
        }
      }
      for (const std::uint32_t v : link.vertices) {
        const JobVertex& vertex = job_.vertices[v];
        text += (fused ? "      " : "    ") + std::to_string(v) + " " + shown(vertex.kind) + " " +
                quoted(vertex.name);
        if (!vertex.uid.empty()) text += " (uid " + quoted(vertex.uid) + ")";
        if (vertex.source && !vertex.bounded) text += " (unbounded)";
        text += inputs_of(v) + "\n";
        if (details) text += details_of(v);
      }
    }
  }
  return text;
}

std::string PlanPrinter::dot() const {
  std::string text = "digraph \"" + dot_text(job_.name) +
                     "\" {\n  rankdir=LR;\n"
                     "  node [shape=box, style=rounded];\n";
  std::uint32_t number = 0;
  for (std::size_t t = 0; t < job_.tasks.size(); ++t) {
    const JobTask& task = job_.tasks[t];
    text += "  subgraph cluster_task" + std::to_string(t) + " {\n    label=\"task " +
            std::to_string(t) + ", parallelism " + std::to_string(task.parallelism) + "\";\n";
    for (const JobLink& link : task.links) {
      const bool fused = link.vertices.size() > 1;
      if (fused) {
        text += "    subgraph cluster_kernel" + std::to_string(number) +
                " {\n    label=\"fused kernel\"; style=filled; color=lightgrey;\n";
      }
      ++number;
      for (const std::uint32_t v : link.vertices) {
        text += "    v" + std::to_string(v) + " [label=\"" + dot_text(job_.vertices[v].name) +
                "\\n" + dot_text(job_.vertices[v].kind) + "\"];\n";
      }
      if (fused) text += "    }\n";
    }
    text += "  }\n";
  }
  for (const JobEdge& edge : job_.edges) {
    std::string label = is_fused(edge) ? "" : freshet::name_of(edge.partitioning);
    if (edge.output != 0) label += " (side output " + std::to_string(edge.output) + ")";
    text += "  v" + std::to_string(edge.from) + " -> v" + std::to_string(edge.to) + " [label=\"" +
            label + "\"" + (edge.chained ? ", style=bold" : "") + "];\n";
  }
  return text + "}\n";
}

std::string PlanPrinter::json() const {
  using Json = nlohmann::ordered_json;
  Json plan{{"id", job_.id}, {"name", job_.name}, {"mode", mode_of(job_)}};
  if (!job_.warnings.empty()) plan["warnings"] = job_.warnings;
  Json& modules = plan["modules"] = Json::array();
  for (const JobModule& module : job_.modules) {
    modules.push_back(
        {{"name", module.name}, {"sha256", module.sha256}, {"kind", name_of(module.kind)}});
  }
  const auto operator_of = [&](const OperatorReference& op) {
    return Json{{"module", job_.modules[op.module].name},
                {"offset", hex(op.offset)},
                {"registered_name", op.registered_name},
                {"type", op.type_name}};
  };
  Json& vertices = plan["vertices"] = Json::array();
  for (const JobVertex& vertex : job_.vertices) {
    Json outputs = Json::array();
    for (const JobVertex::OutputSchema& output : vertex.outputs) {
      outputs.push_back({{"schema", output.schema},
                         {"fields", output.fields},
                         {"fingerprint", hex(output.fingerprint)},
                         {"msgpack", output.uses_msgpack}});
    }
    vertices.push_back({{"id", vertex.id},
                        {"kind", vertex.kind},
                        {"name", vertex.name},
                        {"uid", vertex.uid},
                        {"parallelism", vertex.parallelism},
                        {"max_parallelism", vertex.max_parallelism},
                        {"source", vertex.source},
                        {"bounded", vertex.bounded},
                        {"coordinated", vertex.coordinated},
                        {"operator", operator_of(vertex.op)},
                        {"payload_bytes", vertex.payload.bytes.size()},
                        {"outputs", std::move(outputs)}});
  }
  Json& edges = plan["edges"] = Json::array();
  for (const JobEdge& edge : job_.edges) {
    edges.push_back({{"from", edge.from},
                     {"output", edge.output},
                     {"to", edge.to},
                     {"input", edge.input},
                     {"partitioning", freshet::name_of(edge.partitioning)},
                     {"exchange", "pipelined"},
                     {"chained", edge.chained},
                     {"fused", is_fused(edge)}});
  }
  Json& tasks = plan["tasks"] = Json::array();
  for (const JobTask& task : job_.tasks) {
    Json links = Json::array();
    for (const JobLink& link : task.links) {
      links.push_back({{"vertices", link.vertices},
                       {"fused", link.vertices.size() > 1},
                       {"operator", operator_of(link.op)}});
    }
    tasks.push_back({{"parallelism", task.parallelism}, {"links", std::move(links)}});
  }
  Json& settings = plan["settings"] = Json::object();
  for (const auto& [key, value] : job_.settings) {
    settings[shown(key)] = OptionCatalog::is_secret(key) ? "******" : value;
  }
  return plan.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace freshet::core
