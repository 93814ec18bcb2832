// JobGraph to MessagePack; the format is told in format.h.
#include <cstring>
#include <msgpack.hpp>

#include "freshet/error.h"
#include "freshet/plugin/job_graph.h"
#include "job_graph/format.h"

namespace freshet {
namespace {

namespace field = job_graph_format;

class Writer {
 public:
  std::string write(const JobGraph& graph) {
    packer_.pack_map(10);
    number(field::kFormat, JobGraph::kFormatVersion);
    text(field::kId, graph.id);
    text(field::kName, graph.name);
    flag(field::kBatch, graph.batch);
    list(field::kModules, graph.modules);
    list(field::kVertices, graph.vertices);
    list(field::kEdges, graph.edges);
    list(field::kTasks, graph.tasks);
    key(field::kSettings);
    packer_.pack_map(size_of(graph.settings));
    for (const auto& [name, value] : graph.settings) text(name.c_str(), name.size(), value);
    list(field::kWarnings, graph.warnings);
    return {buffer_.data(), buffer_.size()};
  }

 private:
  void put(const JobModule& module) {
    packer_.pack_map(3);
    text(field::kSha256, module.sha256);
    text(field::kName, module.name);
    number(field::kKind, static_cast<std::uint64_t>(module.kind));
  }
  void put(const OperatorReference& op) {
    packer_.pack_map(4);
    number(field::kModule, op.module);
    number(field::kOffset, op.offset);
    text(field::kRegistered, op.registered_name);
    text(field::kType, op.type_name);
  }
  void put(const JobPayload::Code& code) {
    packer_.pack_map(3);
    number(field::kOffset, code.offset);
    number(field::kModule, code.module);
    number(field::kModuleOffset, code.module_offset);
  }
  void put(const JobVertex::OutputSchema& output) {
    packer_.pack_map(4);
    text(field::kSchema, output.schema);
    number(field::kFingerprint, output.fingerprint);
    flag(field::kMsgpack, output.uses_msgpack);
    text(field::kFields, output.fields);
  }
  void put(const JobVertex& vertex) {
    packer_.pack_map(12);
    text(field::kId, vertex.id);
    text(field::kKind, vertex.kind);
    text(field::kName, vertex.name);
    text(field::kUid, vertex.uid);
    key(field::kOperator);
    put(vertex.op);
    key(field::kPayload);
    packer_.pack_map(2);
    key(field::kBytes);
    packer_.pack_bin(size_of(vertex.payload.bytes));
    packer_.pack_bin_body(vertex.payload.bytes.data(), size_of(vertex.payload.bytes));
    list(field::kCode, vertex.payload.code);
    number(field::kParallelism, vertex.parallelism);
    number(field::kMaxParallelism, vertex.max_parallelism);
    flag(field::kSource, vertex.source);
    flag(field::kBounded, vertex.bounded);
    flag(field::kCoordinated, vertex.coordinated);
    list(field::kOutputs, vertex.outputs);
  }
  void put(const JobEdge& edge) {
    packer_.pack_map(8);
    number(field::kFrom, edge.from);
    number(field::kOutput, edge.output);
    number(field::kTo, edge.to);
    number(field::kInput, edge.input);
    number(field::kPartitioning, static_cast<std::uint64_t>(edge.partitioning));
    number(field::kExchange, static_cast<std::uint64_t>(edge.exchange));
    number(field::kFingerprint, edge.fingerprint);
    flag(field::kChained, edge.chained);
  }
  void put(std::uint32_t value) { packer_.pack(value); }
  void put(const std::string& value) { string(value.data(), value.size()); }
  void put(const JobLink& link) {
    packer_.pack_map(2);
    list(field::kVertices, link.vertices);
    key(field::kOperator);
    put(link.op);
  }
  void put(const JobTask& task) {
    packer_.pack_map(2);
    number(field::kParallelism, task.parallelism);
    list(field::kLinks, task.links);
  }

  void key(const char* name) { string(name, std::strlen(name)); }
  void number(const char* name, std::uint64_t value) {
    key(name);
    packer_.pack(value);
  }
  void flag(const char* name, bool value) {
    key(name);
    packer_.pack(value);
  }
  void text(const char* name, const std::string& value) { text(name, std::strlen(name), value); }
  void text(const char* name, std::size_t size, const std::string& value) {
    string(name, size);
    string(value.data(), value.size());
  }
  template <class T>
  void list(const char* name, const std::vector<T>& values) {
    key(name);
    packer_.pack_array(size_of(values));
    for (const T& value : values) put(value);
  }
  void string(const char* bytes, std::size_t size) {
    packer_.pack_str(narrow(size));
    packer_.pack_str_body(bytes, narrow(size));
  }

  template <class Container>
  static std::uint32_t size_of(const Container& container) {
    return narrow(container.size());
  }
  static std::uint32_t narrow(std::size_t size) {
    if (size > UINT32_MAX) {
      throw InvalidInput("a part of the job graph has " + std::to_string(size) +
                         " bytes or elements, the format can hold " + std::to_string(UINT32_MAX) +
                         ": read large data in open() instead of capturing it");
    }
    return static_cast<std::uint32_t>(size);
  }

  msgpack::sbuffer buffer_;
  msgpack::packer<msgpack::sbuffer> packer_{buffer_};
};

}  // namespace

std::string JobGraph::to_bytes() const { return Writer().write(*this); }

}  // namespace freshet
