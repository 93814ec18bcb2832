#include "operators/prepared_job.h"

#include <cstring>

#include "freshet/error.h"
#include "freshet/payload.h"
#include "modules/module_registry.h"

namespace freshet::core {

namespace {

const LoadedModule& loaded(const JobGraph& graph, std::uint32_t place) {
  const JobModule& module = graph.modules.at(place);
  const auto hash = Sha256::from_hex(module.sha256);
  const LoadedModule* found = hash ? ModuleRegistry::instance().find(*hash) : nullptr;
  if (!found) {
    throw InvalidInput("job '" + graph.name + "' needs the module '" + module.name + "' (sha256 " +
                       module.sha256.substr(0, 12) +
                       "), which is not loaded here: load that very file; a rebuilt one has "
                       "another hash");
  }
  return *found;
}

const OperatorDescriptor* find_operator(const JobGraph& graph, const OperatorReference& op) {
  if (op.registered_name.empty()) return loaded(graph, op.module).descriptor_at(op.offset);
  if (const OperatorDescriptor* found =
          ModuleRegistry::instance().find_operator(op.registered_name)) {
    return found;
  }
  throw InvalidInput("job '" + graph.name + "' needs the operator '" + op.registered_name +
                     "', which no loaded plugin has registered: install the plugin that does");
}

}  // namespace

PreparedJob::PreparedJob(JobGraph graph) : graph_(std::move(graph)) {
  for (const JobVertex& vertex : graph_.vertices) {
    std::string bytes = vertex.payload.bytes;
    for (const JobPayload::Code& code : vertex.payload.code) {
      const void* address = loaded(graph_, code.module).code_at(code.module_offset);
      std::memcpy(bytes.data() + code.offset, &address, sizeof address);
    }
    payloads_.push_back(std::move(bytes));
    vertex_descriptors_.push_back(find_operator(graph_, vertex.op));
  }
  for (const JobTask& task : graph_.tasks) {
    auto& links = descriptors_.emplace_back();
    for (const JobLink& link : task.links) {
      const OperatorDescriptor* descriptor = find_operator(graph_, link.op);
      if (descriptor->stages != link.vertices.size()) {
        throw InvalidInput("job '" + graph_.name + "': an operator of " +
                           std::to_string(descriptor->stages) + " stages stands for " +
                           std::to_string(link.vertices.size()) +
                           " vertices: the plan is damaged or of another build");
      }
      links.push_back(descriptor);
    }
  }
}

std::unique_ptr<Operator> PreparedJob::make_operator(std::uint32_t task, std::uint32_t link) const {
  std::vector<PayloadReader> readers;
  for (const std::uint32_t vertex : graph_.tasks[task].links[link].vertices) {
    readers.emplace_back(payloads_[vertex].data(), payloads_[vertex].size());
  }
  return descriptors_[task][link]->make(readers.data(), readers.size());
}

std::unique_ptr<Coordinator> PreparedJob::make_coordinator(std::uint32_t vertex) const {
  const OperatorDescriptor* descriptor = vertex_descriptors_[vertex];
  if (!descriptor->make_coordinator) return nullptr;
  PayloadReader reader(payloads_[vertex].data(), payloads_[vertex].size());
  return descriptor->make_coordinator(reader);
}

}  // namespace freshet::core
