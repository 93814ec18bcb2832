// A file "kept COUNT TO": a job of the operators beside it.
#include "freshet/plugin/front_end.h"

#include <fstream>

#include "freshet/error.h"
#include "freshet/payload.h"
#include "freshet/plugin/byte_records.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

struct KeptPipeline final : freshet::Pipeline {
  std::string_view kind() const override { return "kept"; }
  std::uint64_t count = 0;
  std::string to;
};

class KeptTranslator final : public freshet::PipelineTranslator {
 public:
  std::string_view kind() const override { return "kept"; }
  freshet::JobGraph translate(const freshet::Pipeline& pipeline,
                              const freshet::Configuration&) const override {
    const auto& kept = static_cast<const KeptPipeline&>(pipeline);
    freshet::JobGraph job;
    job.name = "kept";
    job.batch = true;
    add(job, "kept.numbers", freshet::payload_of(kept.count));
    add(job, "kept.late", {});
    add(job, "kept.file", freshet::payload_of(kept.to));
    job.vertices.front().source = true;
    job.vertices.back().outputs.clear();
    return job;
  }

 private:
  static void add(freshet::JobGraph& job, const std::string& name, std::string payload) {
    const auto place = static_cast<std::uint32_t>(job.vertices.size());
    freshet::JobVertex vertex;
    vertex.kind = vertex.name = vertex.uid = vertex.op.registered_name = name;
    vertex.payload.bytes = std::move(payload);
    const freshet::ByteSchema schema = freshet::byte_record_schema();
    vertex.outputs.push_back({schema.text, schema.fingerprint, false});
    job.vertices.push_back(std::move(vertex));
    if (place == 0) return;
    freshet::JobEdge edge;
    edge.from = place - 1;
    edge.to = place;
    edge.partitioning = freshet::Partitioning::kForward;
    edge.chained = place == 2;
    job.edges.push_back(edge);
  }
};

class KeptFrontEnd final : public freshet::FrontEnd {
 public:
  const char* name() const override { return "kept-front-end"; }
  bool recognises(std::string_view, std::string_view first_bytes) const override {
    return first_bytes.substr(0, 5) == "kept ";
  }
  std::unique_ptr<freshet::Pipeline> read(
      const std::string& path, const std::vector<std::string>& arguments) const override {
    auto pipeline = std::make_unique<KeptPipeline>();
    std::string word;
    std::ifstream(path) >> word >> pipeline->count >> pipeline->to;
    if (!arguments.empty()) throw freshet::InvalidInput(path + ":1:1: takes no arguments");
    return pipeline;
  }
  std::unique_ptr<freshet::PipelineTranslator> make_translator() const override {
    return std::make_unique<KeptTranslator>();
  }
};

}  // namespace

FRESHET_FRONT_END_PLUGIN("kept-front-end", "1.0.0", KeptFrontEnd);
