// Pipeline in, JobGraph out: the door of this folder.
//
// TranslatorRegistry finds the translator by the kind of the pipeline. The DataStream API's
// (stream_graph_translator.h) is built in, front-end plugins add theirs. chaining.h says which
// operators share a task, capture_scan.h finds pointers among captures, process_modules.h is what
// translation sees of the process, job_ids.h gives jobs their ids.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "freshet/api.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/pipeline.h"
#include "translation/job_ids.h"
#include "translation/process_modules.h"

namespace freshet::core {

// Threads: any.
class FRESHET_API TranslatorRegistry {
 public:
  // `modules` outlives the registry. For `application` see JobIds.
  explicit TranslatorRegistry(ProcessModules& modules, std::string application = "");
  ~TranslatorRegistry();
  TranslatorRegistry(const TranslatorRegistry&) = delete;
  TranslatorRegistry& operator=(const TranslatorRegistry&) = delete;

  // Throws InvalidInput if there is one for that kind already.
  void add(std::unique_ptr<PipelineTranslator> translator);

  bool has(std::string_view kind);

  // A validated graph. What the translator left empty is filled in: completion.h; the job's id goes
  // by its name. Throws
  // InvalidInput if no translator knows the kind, or the pipeline can't be run.
  JobGraph translate(const Pipeline& pipeline, const Configuration& configuration);

 private:
  ProcessModules& modules_;
  JobIds job_ids_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<PipelineTranslator>, std::less<>> translators_;
};

}  // namespace freshet::core
