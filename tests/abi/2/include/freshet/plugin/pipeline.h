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
  //
  // Freshet fills in what is left empty: the job's id (by its name), a vertex's (by its uid, else
  // by its place), module and type of an operator that is asked for by its registered name, the
  // fingerprint of an edge (that of the output it leaves), the tasks (what chained edges connect),
  // the settings (those of `configuration` in job scope). Then it validates the graph.
  virtual JobGraph translate(const Pipeline& pipeline,
                             const Configuration& configuration) const = 0;
};

}  // namespace freshet
