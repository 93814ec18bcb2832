// The front end 'template-name': fr-run sample.template-name --target=local ARGUMENT...
#include <freshet/payload.h>
#include <freshet/plugin/byte_records.h>
#include <freshet/plugin/front_end.h>
#include <freshet/plugin/job_graph.h>
#include <freshet/plugin/plugin_registration.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "template_name_pipeline.h"

namespace template_name {

// One vertex a step; what is left empty Freshet fills in.
class TemplateNameTranslator final : public freshet::PipelineTranslator {
 public:
  std::string_view kind() const override { return TemplateNamePipeline::kKind; }

  freshet::JobGraph translate(const freshet::Pipeline& pipeline,
                              const freshet::Configuration&) const override {
    const auto& mine = static_cast<const TemplateNamePipeline&>(pipeline);
    freshet::JobGraph job;
    job.name = mine.name();
    job.batch = true;
    for (const Step& step : mine.steps()) {
      const auto place = static_cast<std::uint32_t>(job.vertices.size());
      const bool is_first = place == 0;
      const bool is_last = place + 1 == mine.steps().size();
      freshet::JobVertex vertex;
      vertex.kind = step.word;
      vertex.name = step.word;
      // The same in the next version of the job: savepoints go by it.
      vertex.uid = step.word + "-" + std::to_string(place);
      vertex.op.registered_name = "template-name." + step.word;
      if (!step.argument.empty()) vertex.payload.bytes = freshet::payload_of(step.argument);
      vertex.source = is_first;
      if (!is_last) {
        const freshet::ByteSchema schema = freshet::byte_record_schema();
        vertex.outputs.push_back({schema.text, schema.fingerprint, false});
      }
      if (!is_first) {
        freshet::JobEdge edge;
        edge.from = place - 1;
        edge.to = place;
        edge.partitioning = freshet::Partitioning::kForward;
        edge.chained = true;  // a call instead of a channel
        job.edges.push_back(edge);
      }
      job.vertices.push_back(std::move(vertex));
    }
    return job;
  }
};

class TemplateNameFrontEnd final : public freshet::FrontEnd {
 public:
  const char* name() const override { return "template-name"; }

  // Exactly one front end says yes to a file.
  bool recognises(std::string_view, std::string_view first_bytes) const override {
    return first_bytes.substr(0, TemplateNamePipeline::kMark.size()) == TemplateNamePipeline::kMark;
  }
  std::unique_ptr<freshet::Pipeline> read(
      const std::string& path, const std::vector<std::string>& arguments) const override {
    return std::make_unique<TemplateNamePipeline>(path, arguments);
  }
  std::unique_ptr<freshet::PipelineTranslator> make_translator() const override {
    return std::make_unique<TemplateNameTranslator>();
  }
};

}  // namespace template_name

FRESHET_FRONT_END_PLUGIN("template-name", "0.1.0", template_name::TemplateNameFrontEnd);
