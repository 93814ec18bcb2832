// From a pipeline to a JobGraph, with what plugins bring to that: the translators of front ends,
// and operators by name.
//
// Threads    Any.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "backend/process_configuration.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/pipeline.h"
#include "translation/translator_registry.h"

namespace freshet::core {

class FRESHET_API PipelineTranslation {
 public:
  // Both outlive it.
  PipelineTranslation(ProcessConfiguration& process, ProcessModules& modules)
      : process_(process), translators_(modules) {}

  // Logs the job's warnings. Throws InvalidInput.
  JobGraph translate(const Pipeline& pipeline, const Configuration& configuration);
  // The same, for a job that is only looked at: nothing is logged of it.
  JobGraph plan(const Pipeline& pipeline, const Configuration& configuration);

 private:
  // Those that the pipeline may ask for by name. Returns which ones were skipped, and why.
  std::vector<std::string> load_operator_libraries(const Pipeline& pipeline);
  // Those of the front ends, if none is known for the pipeline.
  void load_translators(const Pipeline& pipeline);

  ProcessConfiguration& process_;
  TranslatorRegistry translators_;
  std::mutex mutex_;  // held while front ends are asked for their translators
};

}  // namespace freshet::core
