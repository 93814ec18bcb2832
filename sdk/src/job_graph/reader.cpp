// MessagePack to JobGraph. The bytes are foreign: a first pass, which allocates nothing, proves
// that every length in them is true; then their objects are made, and each is looked at before it
// is believed.
#include <msgpack.hpp>
#include <string_view>
#include <utility>

#include "freshet/plugin/job_graph.h"
#include "freshet/serde/bytes.h"
#include "job_graph/format.h"

namespace freshet {
namespace {

namespace field = job_graph_format;

[[noreturn]] void refuse(const std::string& what) { throw DecodeError("not a job graph: " + what); }

// Walks the bytes without making anything of them; stops at what lies too deep.
class LengthCheck : public msgpack::null_visitor {
 public:
  bool start_array(std::uint32_t) { return enter(); }
  bool start_map(std::uint32_t) { return enter(); }
  bool end_array() { return leave(); }
  bool end_map() { return leave(); }
  void parse_error(std::size_t, std::size_t at) {
    refuse("byte " + std::to_string(at) + " is no MessagePack");
  }
  void insufficient_bytes(std::size_t, std::size_t at) {
    refuse("it ends in the middle of a value, at byte " + std::to_string(at));
  }

 private:
  bool enter() { return ++depth_ <= field::kMaxDepth; }
  bool leave() {
    --depth_;
    return true;
  }
  std::uint32_t depth_ = 0;
};

const char* type_of(const msgpack::object& object) {
  switch (object.type) {
    case msgpack::type::NIL:
      return "nil";
    case msgpack::type::BOOLEAN:
      return "a boolean";
    case msgpack::type::POSITIVE_INTEGER:
      return "a number";
    case msgpack::type::NEGATIVE_INTEGER:
      return "a negative number";
    case msgpack::type::FLOAT32:
    case msgpack::type::FLOAT64:
      return "a fraction";
    case msgpack::type::STR:
      return "a text";
    case msgpack::type::BIN:
      return "bytes";
    case msgpack::type::ARRAY:
      return "a list";
    case msgpack::type::MAP:
      return "a map";
    case msgpack::type::EXT:
      return "an extension";
  }
  return "unknown";
}

[[noreturn]] void refuse_type(const std::string& path, const msgpack::object& found,
                              const char* expected) {
  refuse("'" + path + "' is " + type_of(found) + ", expected " + expected);
}

std::uint64_t number_of(const msgpack::object& object, const std::string& path,
                        std::uint64_t most) {
  if (object.type != msgpack::type::POSITIVE_INTEGER) refuse_type(path, object, "a number");
  if (object.via.u64 > most) {
    refuse("'" + path + "' is " + std::to_string(object.via.u64) + ", expected at most " +
           std::to_string(most));
  }
  return object.via.u64;
}

std::string text_of(const msgpack::object& object, const std::string& path) {
  if (object.type != msgpack::type::STR) refuse_type(path, object, "a text");
  return {object.via.str.ptr, object.via.str.size};
}

// A map of the format, and where it stands in the graph.
class Fields {
 public:
  Fields(const msgpack::object& object, std::string path)
      : object_(object), path_(std::move(path)) {
    if (object.type != msgpack::type::MAP) refuse_type(path_, object, "a map");
  }

  bool has(const char* name) const { return find(name) != nullptr; }
  std::uint64_t u64(const char* name) const { return number_of(at(name), path(name), UINT64_MAX); }
  std::uint32_t u32(const char* name) const {
    return static_cast<std::uint32_t>(number_of(at(name), path(name), UINT32_MAX));
  }
  template <class E>
  E enumerator(const char* name, E last) const {
    return static_cast<E>(number_of(at(name), path(name), static_cast<std::uint64_t>(last)));
  }
  bool flag(const char* name) const {
    const msgpack::object& found = at(name);
    if (found.type != msgpack::type::BOOLEAN) refuse_type(path(name), found, "a boolean");
    return found.via.boolean;
  }
  std::string text(const char* name) const { return text_of(at(name), path(name)); }
  // "" where an older writer has left it out.
  std::string text_or_none(const char* name) const {
    return has(name) ? text(name) : std::string();
  }
  std::string bytes(const char* name) const {
    const msgpack::object& found = at(name);
    if (found.type != msgpack::type::BIN) refuse_type(path(name), found, "bytes");
    return {found.via.bin.ptr, found.via.bin.size};
  }
  Fields map(const char* name) const { return {at(name), path(name)}; }
  // Calls read(element, its path) for each element.
  template <class Read>
  void list(const char* name, Read read) const {
    const msgpack::object& found = at(name);
    if (found.type != msgpack::type::ARRAY) refuse_type(path(name), found, "a list");
    for (std::uint32_t i = 0; i < found.via.array.size; ++i) {
      read(found.via.array.ptr[i], path(name) + "[" + std::to_string(i) + "]");
    }
  }
  template <class Read>
  void each(Read read) const {
    for (std::uint32_t i = 0; i < object_.via.map.size; ++i) {
      const msgpack::object_kv& pair = object_.via.map.ptr[i];
      std::string key = text_of(pair.key, path_ + ": a key");
      std::string value = text_of(pair.val, path_ + "." + key);
      read(std::move(key), std::move(value));
    }
  }

 private:
  std::string path(const char* name) const { return path_.empty() ? name : path_ + "." + name; }
  const msgpack::object& at(const char* name) const {
    if (const msgpack::object* found = find(name)) return *found;
    refuse("'" + path(name) + "' is missing");
  }
  const msgpack::object* find(const char* name) const {
    const std::string_view wanted = name;
    for (std::uint32_t i = 0; i < object_.via.map.size; ++i) {
      const msgpack::object_kv& pair = object_.via.map.ptr[i];
      if (pair.key.type == msgpack::type::STR &&
          std::string_view(pair.key.via.str.ptr, pair.key.via.str.size) == wanted) {
        return &pair.val;
      }
    }
    return nullptr;
  }

  const msgpack::object& object_;
  std::string path_;
};

JobModule read_module(const Fields& from) {
  return {from.text(field::kSha256), from.text(field::kName),
          from.enumerator(field::kKind, ModuleKind::kExecutable)};
}

OperatorReference read_operator(const Fields& from) {
  return {from.u32(field::kModule), from.u64(field::kOffset), from.text(field::kRegistered),
          from.text(field::kType)};
}

JobPayload read_payload(const Fields& from) {
  JobPayload payload;
  payload.bytes = from.bytes(field::kBytes);
  from.list(field::kCode, [&](const msgpack::object& object, std::string path) {
    const Fields code(object, std::move(path));
    payload.code.push_back(
        {code.u32(field::kOffset), code.u32(field::kModule), code.u64(field::kModuleOffset)});
  });
  return payload;
}

JobVertex read_vertex(const Fields& from) {
  JobVertex vertex;
  vertex.id = from.text(field::kId);
  vertex.kind = from.text(field::kKind);
  vertex.name = from.text(field::kName);
  vertex.uid = from.text(field::kUid);
  vertex.op = read_operator(from.map(field::kOperator));
  vertex.payload = read_payload(from.map(field::kPayload));
  vertex.parallelism = from.u32(field::kParallelism);
  vertex.max_parallelism = from.u32(field::kMaxParallelism);
  vertex.source = from.flag(field::kSource);
  vertex.bounded = from.flag(field::kBounded);
  vertex.coordinated = from.flag(field::kCoordinated);
  from.list(field::kOutputs, [&](const msgpack::object& object, std::string path) {
    const Fields output(object, std::move(path));
    vertex.outputs.push_back({output.text(field::kSchema), output.u64(field::kFingerprint),
                              output.flag(field::kMsgpack), output.text_or_none(field::kFields)});
  });
  return vertex;
}

JobEdge read_edge(const Fields& from) {
  JobEdge edge;
  edge.from = from.u32(field::kFrom);
  edge.output = from.u32(field::kOutput);
  edge.to = from.u32(field::kTo);
  edge.input = from.u32(field::kInput);
  edge.partitioning = from.enumerator(field::kPartitioning, Partitioning::kGlobal);
  edge.exchange = from.enumerator(field::kExchange, ExchangeKind::kBlocking);
  edge.fingerprint = from.u64(field::kFingerprint);
  edge.chained = from.flag(field::kChained);
  return edge;
}

JobLink read_link(const Fields& from) {
  JobLink link;
  from.list(field::kVertices, [&](const msgpack::object& object, const std::string& path) {
    link.vertices.push_back(static_cast<std::uint32_t>(number_of(object, path, UINT32_MAX)));
  });
  link.op = read_operator(from.map(field::kOperator));
  return link;
}

JobTask read_task(const Fields& from) {
  JobTask task;
  task.parallelism = from.u32(field::kParallelism);
  from.list(field::kLinks, [&](const msgpack::object& object, std::string path) {
    task.links.push_back(read_link(Fields(object, std::move(path))));
  });
  return task;
}

template <class T>
void read_list(const Fields& from, const char* name, T (*read)(const Fields&),
               std::vector<T>& into) {
  from.list(name, [&](const msgpack::object& object, std::string path) {
    into.push_back(read(Fields(object, std::move(path))));
  });
}

JobGraph read_graph(const Fields& from) {
  JobGraph graph;
  graph.id = from.text(field::kId);
  graph.name = from.text(field::kName);
  graph.batch = from.flag(field::kBatch);
  read_list(from, field::kModules, &read_module, graph.modules);
  read_list(from, field::kVertices, &read_vertex, graph.vertices);
  read_list(from, field::kEdges, &read_edge, graph.edges);
  read_list(from, field::kTasks, &read_task, graph.tasks);
  from.map(field::kSettings).each([&](std::string key, std::string value) {
    graph.settings.insert_or_assign(std::move(key), std::move(value));
  });
  if (from.has(field::kWarnings)) {
    from.list(field::kWarnings, [&](const msgpack::object& object, const std::string& path) {
      graph.warnings.push_back(text_of(object, path));
    });
  }
  return graph;
}

bool refer_to_input(msgpack::type::object_type, std::size_t, void*) { return true; }

}  // namespace

JobGraph JobGraph::from_bytes(const std::string& bytes) {
  std::size_t end = 0;
  LengthCheck check;
  if (!msgpack::parse(bytes.data(), bytes.size(), end, check)) {
    refuse("its parts lie more than " + std::to_string(field::kMaxDepth) + " deep");
  }
  if (end != bytes.size()) {
    refuse("it ends at byte " + std::to_string(end) + " of " + std::to_string(bytes.size()));
  }

  msgpack::zone zone;
  std::size_t offset = 0;
  const msgpack::object root =
      msgpack::unpack(zone, bytes.data(), bytes.size(), offset, &refer_to_input);
  if (root.type != msgpack::type::MAP) {
    refuse(std::string("it is ") + type_of(root) + ", expected a map");
  }
  const Fields fields(root, "");
  const std::uint64_t version = fields.u64(field::kFormat);
  if (version != kFormatVersion) {
    throw DecodeError("the job graph has format version " + std::to_string(version) +
                      ", this Freshet reads version " + std::to_string(kFormatVersion) +
                      ": submit the job with a client of this version");
  }
  JobGraph graph = read_graph(fields);
  graph.validate();
  return graph;
}

}  // namespace freshet
