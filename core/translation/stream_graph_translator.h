// StreamGraph to JobGraph: ids, parallelism, partitioning, chains, fused kernels, modules.
//
// A vertex's id is a hash of its uid. Without one it is a hash of its position: its kind, the
// positions of the vertices that it reads from (with the numbers of output and input), and how many
// vertices with the same of these were added before it. So it does not depend on names, uids of
// other vertices, parallelism, partitioning or settings, nor on parts of the graph that are not
// upstream of it.
//
// Threads    Any.
#pragma once

#include "freshet/plugin/pipeline.h"
#include "translation/job_ids.h"
#include "translation/process_modules.h"

namespace freshet::core {

class FRESHET_API StreamGraphTranslator final : public PipelineTranslator {
 public:
  // Both outlive the translator.
  StreamGraphTranslator(ProcessModules& modules, JobIds& job_ids)
      : modules_(modules), job_ids_(job_ids) {}
  ~StreamGraphTranslator() override;

  std::string_view kind() const override;
  // Each successful call is a new job of the application: its id differs from earlier ones.
  JobGraph translate(const Pipeline& pipeline, const Configuration& configuration) const override;

 private:
  ProcessModules& modules_;
  JobIds& job_ids_;
};

}  // namespace freshet::core
