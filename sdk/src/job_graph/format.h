// The names of the fields in a serialised JobGraph, version 1.
//
//   {"format": 1, "id": "0f…", "name": "word count", "batch": true,
//    "modules":  [{"sha256": "9a…", "name": "word_count.so", "kind": 0}],
//    "vertices": [{"id": "4c…", "kind": "map", "name": "parse", "uid": "", "op": OPERATOR,
//                  "payload": {"bytes": bin, "code": [{"offset", "module", "module_offset"}]},
//                  "parallelism": 2, "max_parallelism": 128, "source": false, "bounded": true,
//                  "coordinated": false,
//                  "outputs": [{"schema": "{i64,string}", "fingerprint": 7, "msgpack": false,
//                               "fields": "{id:i64,name:string}"}]}],
//    "edges":    [{"from": 0, "output": 0, "to": 1, "input": 0, "partitioning": 1, "exchange": 0,
//                  "fingerprint": 7, "chained": false}],
//    "tasks":    [{"parallelism": 2, "links": [{"vertices": [0, 1], "op": OPERATOR}]}],
//    "settings": {"pipeline.fusion": "true"}, "warnings": ["…"]}
//   OPERATOR = {"module": 0, "offset": 4096, "registered": "", "type": "Map<…>"}
//
// Enumerations are written as their numbers, so these never change. A reader ignores fields that it
// does not know; a field that is added later is optional for the reader. "format" changes when an
// old reader would misunderstand a graph.
#pragma once

#include <cstdint>

namespace freshet::job_graph_format {

inline constexpr char kFormat[] = "format";
inline constexpr char kId[] = "id";
inline constexpr char kName[] = "name";
inline constexpr char kBatch[] = "batch";
inline constexpr char kModules[] = "modules";
inline constexpr char kVertices[] = "vertices";
inline constexpr char kEdges[] = "edges";
inline constexpr char kTasks[] = "tasks";
inline constexpr char kSettings[] = "settings";
inline constexpr char kWarnings[] = "warnings";  // optional

inline constexpr char kSha256[] = "sha256";
inline constexpr char kKind[] = "kind";

inline constexpr char kModule[] = "module";
inline constexpr char kOffset[] = "offset";
inline constexpr char kRegistered[] = "registered";
inline constexpr char kType[] = "type";

inline constexpr char kUid[] = "uid";
inline constexpr char kOperator[] = "op";
inline constexpr char kPayload[] = "payload";
inline constexpr char kBytes[] = "bytes";
inline constexpr char kCode[] = "code";
inline constexpr char kModuleOffset[] = "module_offset";
inline constexpr char kParallelism[] = "parallelism";
inline constexpr char kMaxParallelism[] = "max_parallelism";
inline constexpr char kSource[] = "source";
inline constexpr char kBounded[] = "bounded";
inline constexpr char kCoordinated[] = "coordinated";
inline constexpr char kOutputs[] = "outputs";
inline constexpr char kSchema[] = "schema";
inline constexpr char kFingerprint[] = "fingerprint";
inline constexpr char kMsgpack[] = "msgpack";
inline constexpr char kFields[] = "fields";  // optional

inline constexpr char kFrom[] = "from";
inline constexpr char kOutput[] = "output";
inline constexpr char kTo[] = "to";
inline constexpr char kInput[] = "input";
inline constexpr char kPartitioning[] = "partitioning";
inline constexpr char kExchange[] = "exchange";
inline constexpr char kChained[] = "chained";

inline constexpr char kLinks[] = "links";

// Containers within containers, unknown fields included; version 1 itself has six levels.
inline constexpr std::uint32_t kMaxDepth = 32;

}  // namespace freshet::job_graph_format
