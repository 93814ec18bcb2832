// What an API hands to an executor. Executors never look inside: a PipelineTranslator, found by the
// kind of the pipeline, turns it into a JobGraph.
#pragma once

#include <string_view>

#include "freshet/api.h"

namespace freshet {

class Configuration;
class JobGraph;

class FRESHET_API Pipeline {
 public:
  virtual ~Pipeline();
  // Names the kind for which a translator is registered, e.g. "freshet.stream-graph".
  virtual std::string_view kind() const = 0;
};

class FRESHET_API PipelineTranslator {
 public:
  virtual ~PipelineTranslator();
  virtual std::string_view kind() const = 0;
  // `pipeline.kind()` equals kind(). Throws InvalidInput if the pipeline can't be run.
  virtual JobGraph translate(const Pipeline& pipeline,
                             const Configuration& configuration) const = 0;
};

}  // namespace freshet
