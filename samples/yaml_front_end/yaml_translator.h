// From a YamlPipeline to a JobGraph, by the public contract alone.
#pragma once

#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/pipeline.h"

namespace yaml_front_end {

class YamlTranslator final : public freshet::PipelineTranslator {
 public:
  std::string_view kind() const override;
  freshet::JobGraph translate(const freshet::Pipeline& pipeline,
                              const freshet::Configuration& configuration) const override;
};

}  // namespace yaml_front_end
