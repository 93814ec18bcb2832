#include "translation/completion.h"

#include <algorithm>

#include "freshet/error.h"
#include "freshet/plugin/nearest_name.h"
#include "translation/chaining.h"
#include "translation/stable_id.h"

namespace freshet::core {
namespace {

std::uint32_t number_of(JobGraph& job, const JobModule& module) {
  for (std::uint32_t m = 0; m < job.modules.size(); ++m) {
    if (job.modules[m].sha256 == module.sha256) return m;
  }
  job.modules.push_back(module);
  return static_cast<std::uint32_t>(job.modules.size() - 1);
}

// " (is 'text.upper' meant? Registered are 'text.read', 'text.upper')"
std::string what_is_there(const std::string& wanted, const std::vector<std::string>& names) {
  constexpr std::size_t kMostShown = 20;
  if (names.empty()) return " (no operator is registered by a name)";
  const std::string nearest = nearest_name(wanted, names);
  std::string text = nearest.empty() ? " (registered" : " (is '" + nearest + "' meant? Registered";
  for (std::size_t n = 0; n < names.size() && n < kMostShown; ++n)
    text += (n == 0 ? " are '" : ", '") + names[n] + "'";
  if (names.size() > kMostShown)
    text += " and " + std::to_string(names.size() - kMostShown) + " more";
  return text + ")";
}

void complete_operator(JobGraph& job, JobVertex& vertex, ProcessModules& modules) {
  OperatorReference& op = vertex.op;
  if (op.registered_name.empty() || !op.type_name.empty()) return;
  const OperatorDescriptor* descriptor = modules.find_operator(op.registered_name);
  if (descriptor == nullptr) {
    throw UnknownOperator("operator '" + vertex.name + "' of job '" + job.name +
                          "' is registered as '" + op.registered_name +
                          "', which no loaded module has" +
                          what_is_there(op.registered_name, modules.operator_names()) +
                          ": install the operator library that has it");
  }
  const ProcessModules::Place place = modules.place_of(descriptor, nullptr);
  op.module = number_of(job, place.module);
  op.offset = place.offset;
  op.type_name = descriptor->type_name;
  vertex.coordinated = descriptor->make_coordinator != nullptr;
}

bool edges_are_in_range(const JobGraph& job) {
  return std::all_of(job.edges.begin(), job.edges.end(), [&](const JobEdge& edge) {
    return edge.from < job.vertices.size() && edge.to < job.vertices.size();
  });
}

}  // namespace

UnknownOperator::~UnknownOperator() = default;

void complete_job(JobGraph& job, ProcessModules& modules) {
  for (std::uint32_t v = 0; v < job.vertices.size(); ++v) {
    JobVertex& vertex = job.vertices[v];
    if (vertex.id.empty()) {
      vertex.id = vertex.uid.empty() ? stable_id({"place", std::to_string(v), vertex.kind})
                                     : stable_id({"uid", vertex.uid});
    }
    complete_operator(job, vertex, modules);
  }
  if (!edges_are_in_range(job)) return;
  for (JobEdge& edge : job.edges) {
    const auto& outputs = job.vertices[edge.from].outputs;
    if (edge.fingerprint == 0 && edge.output < outputs.size()) {
      edge.fingerprint = outputs[edge.output].fingerprint;
    }
  }
  if (!job.tasks.empty()) return;
  for (const JobEdge& edge : job.edges) {
    if (!edge.chained || edge.from < edge.to) continue;
    throw InvalidInput("operator '" + job.vertices[edge.to].name + "' of job '" + job.name +
                       "' is chained to '" + job.vertices[edge.from].name +
                       "', which stands behind it: add operators in the order of their records, or "
                       "give the graph its tasks");
  }
  job.tasks = make_tasks(job, {});
}

}  // namespace freshet::core
