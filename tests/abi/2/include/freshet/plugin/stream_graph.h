// The Pipeline of the DataStream API: one vertex per call, as the program wrote it.
//
// Threads    Built by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/payload.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/module.h"
#include "freshet/plugin/pipeline.h"
#include "freshet/plugin/record_type.h"

namespace freshet {

struct StreamEdge {
  std::uint32_t from = 0;
  std::uint32_t output = 0;
  std::uint32_t input = 0;
  // Automatic is forward where both sides have one parallelism, else rebalance.
  bool automatic = true;
  Partitioning partitioning = Partitioning::kForward;
  // What the consumer reads; null if it takes whatever comes. The translator compares schemas.
  const RecordType* expects = nullptr;
  ExchangeKind exchange = ExchangeKind::kPipelined;
};

// One operator for the vertices from `head` to the vertex that holds this, one input each.
struct FusedCandidate {
  const OperatorDescriptor* descriptor = nullptr;
  const ModuleAnchor* module = nullptr;
  std::uint32_t head = 0;
};

struct StreamVertex {
  std::string kind;
  std::string name;
  std::string uid;
  const OperatorDescriptor* descriptor = nullptr;  // null: registered_name says which
  const ModuleAnchor* module = nullptr;
  std::string registered_name;
  Payload payload;
  std::vector<StreamEdge> inputs;
  std::vector<const RecordType*> outputs;
  std::vector<FusedCandidate> fused;
  std::uint32_t parallelism = 0;        // 0: the job's
  std::uint32_t max_parallelism = 0;    // 0: the job's
  std::uint32_t fixed_parallelism = 0;  // not 0: the operator can't have another
  // Without one of its own it takes its first input's parallelism, if that edge is automatic.
  bool parallelism_of_input = false;
  bool source = false;
  bool bounded = true;
  bool chains_with_input = true;
  bool chains_with_output = true;
  bool captures_no_pointers = false;  // the user said so: not scanned
};

class FRESHET_API StreamGraph final : public Pipeline {
 public:
  static constexpr std::string_view kKind = "freshet.stream-graph";

  StreamGraph();
  ~StreamGraph() override;
  std::string_view kind() const override { return kKind; }

  // Returns the vertex's place. Its inputs stand before it.
  std::uint32_t add(StreamVertex vertex);
  StreamVertex& at(std::uint32_t place) { return vertices_[place]; }
  const std::vector<StreamVertex>& vertices() const { return vertices_; }

  std::string job_name;
  std::string job_uid;

 private:
  std::vector<StreamVertex> vertices_;
};

}  // namespace freshet
