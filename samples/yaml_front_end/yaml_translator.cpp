#include "yaml_translator.h"

#include "freshet/error.h"
#include "freshet/plugin/byte_records.h"
#include "yaml_pipeline.h"

namespace yaml_front_end {

std::string_view YamlTranslator::kind() const { return YamlPipeline::kKind; }

// One vertex per step, found again by its id in the file; Freshet fills in the rest.
freshet::JobGraph YamlTranslator::translate(const freshet::Pipeline& pipeline,
                                            const freshet::Configuration&) const {
  const auto& yaml = static_cast<const YamlPipeline&>(pipeline);
  freshet::JobGraph job;
  job.name = yaml.name();
  job.batch = true;
  for (const Step& step : yaml.steps()) {
    freshet::JobVertex vertex;
    vertex.kind = step.operator_name;
    vertex.name = step.id;
    vertex.uid = step.id;
    vertex.op.registered_name = step.operator_name;
    vertex.payload.bytes = step.payload;
    vertex.parallelism = step.parallelism;
    vertex.source = step.from.empty();
    if (step.output != Step::Output::kNone) {
      const freshet::ByteSchema schema = step.output == Step::Output::kKeyed
                                             ? freshet::keyed_byte_record_schema()
                                             : freshet::byte_record_schema();
      vertex.outputs.push_back({schema.text, schema.fingerprint, false});
    }
    const auto to = static_cast<std::uint32_t>(job.vertices.size());
    for (std::uint32_t input = 0; input < step.from.size(); ++input) {
      const auto from = static_cast<std::uint32_t>(step.from[input]);
      const Step& before = yaml.steps()[from];
      if (step.partition == freshet::Partitioning::kHash && before.output != Step::Output::kKeyed) {
        throw freshet::InvalidInput(
            "step '" + step.id + "' partitions '" + before.id +
            "' by hash, whose output is not keyed: write 'output: keyed' there");
      }
      freshet::JobEdge edge;
      edge.from = from;
      edge.to = to;
      edge.input = input;
      edge.partitioning = step.partition;
      // A call instead of a channel, where one step simply follows the other.
      edge.chained = step.from.size() == 1 && step.partition == freshet::Partitioning::kForward &&
                     before.parallelism == step.parallelism;
      job.edges.push_back(edge);
    }
    job.vertices.push_back(std::move(vertex));
  }
  return job;
}

}  // namespace yaml_front_end
