// The serialisable, self-contained form of a job: what is shipped, stored and run, even by the
// local executor. Made from a Pipeline by a PipelineTranslator.
//
// Format     MessagePack, a map with a version; unknown fields are ignored, another major version
//            is refused with both numbers.
// Threads    A value: one writer at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "freshet/api.h"

namespace freshet {

enum class Partitioning : std::uint8_t {
  kForward,    // subtask i to subtask i
  kHash,       // by the key's group
  kRebalance,  // in turn to all subtasks
  kRescale,    // in turn to the subtasks of this subtask's share
  kShuffle,    // drawn at random
  kBroadcast,  // to all subtasks
  kGlobal,     // to subtask 0
};
FRESHET_API const char* name_of(Partitioning partitioning);

// Blocking is refused by name until it exists.
enum class ExchangeKind : std::uint8_t { kPipelined, kBlocking };

enum class ModuleKind : std::uint8_t {
  kShipped,     // with the application, loaded from its copy
  kInstalled,   // a plugin, or a library of Freshet
  kExecutable,  // the program itself
};

struct JobModule {
  std::string sha256;  // hex
  std::string name;    // the file's plain name
  ModuleKind kind = ModuleKind::kShipped;
};

// Either {module, offset of a descriptor} or the name under which a plugin registered it.
struct OperatorReference {
  std::uint32_t module = 0;
  std::uint64_t offset = 0;
  std::string registered_name;
  std::string type_name;  // for people
};

struct JobPayload {
  // The eight bytes at `offset` stand for the function at `module_offset` of `module`.
  struct Code {
    std::uint32_t offset = 0;
    std::uint32_t module = 0;
    std::uint64_t module_offset = 0;
  };
  std::string bytes;
  std::vector<Code> code;
};

struct JobVertex {
  std::string id;    // 32 hex digits: hash of the uid, else of the position in the graph
  std::string kind;  // "map", "source", ...
  std::string name;
  std::string uid;  // empty if none was given
  OperatorReference op;
  JobPayload payload;
  std::uint32_t parallelism = 1;
  std::uint32_t max_parallelism = 128;
  bool source = false;
  bool bounded = true;       // sources only
  bool coordinated = false;  // has a coordinator
  // One per output: 0 is the main one, then the side outputs.
  struct OutputSchema {
    std::string schema;
    std::uint64_t fingerprint = 0;
    bool uses_msgpack = false;  // the slow way: shown to people
    std::string fields{};       // the schema with the names of its fields, for people; may be ""
  };
  std::vector<OutputSchema> outputs;
};

struct JobEdge {
  std::uint32_t from = 0;  // place in vertices
  std::uint32_t output = 0;
  std::uint32_t to = 0;
  std::uint32_t input = 0;
  Partitioning partitioning = Partitioning::kForward;
  ExchangeKind exchange = ExchangeKind::kPipelined;
  std::uint64_t fingerprint = 0;
  bool chained = false;  // a call inside one task, no channel
};

// Vertices that run as one operator: a fused kernel for a run of them, or a single one.
struct JobLink {
  std::vector<std::uint32_t> vertices;  // upstream first
  OperatorReference op;
};

// Links connected by chained edges: what a subtask runs. Upstream first.
struct JobTask {
  std::vector<JobLink> links;
  std::uint32_t parallelism = 1;
};

class FRESHET_API JobGraph {
 public:
  static constexpr std::uint32_t kFormatVersion = 1;

  std::string id;  // 32 hex digits
  std::string name;
  bool batch = false;  // the runtime mode that the translator settled on
  std::vector<JobModule> modules;
  std::vector<JobVertex> vertices;
  std::vector<JobEdge> edges;
  std::vector<JobTask> tasks;
  std::map<std::string, std::string> settings;  // job scope, as key -> text
  std::vector<std::string> warnings;            // of the translation, for people

  std::string to_bytes() const;
  // Throws DecodeError on anything that is no JobGraph, and InvalidInput (see validate()) on one
  // that can't be run. Every length and index is checked before it is used.
  static JobGraph from_bytes(const std::string& bytes);
  // Checks that indexes are in range, the graph has no cycle, edges agree with the schemas of what
  // they connect, tasks cover each vertex once, parallelism is within bounds.
  void validate() const;
};

}  // namespace freshet
