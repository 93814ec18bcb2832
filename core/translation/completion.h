// What a translator may leave to Freshet: filled in before a graph is validated.
//
//   a vertex's id       empty: a hash of its uid, or of its place and kind
//   an operator         asked for by its registered name alone: its module and type, and whether it
//                       has a coordinator
//   an edge's schema    fingerprint 0: that of the output that it leaves
//   tasks               none: one per vertex that no chained edge leads to, with those behind it
#pragma once

#include "freshet/error.h"
#include "freshet/plugin/job_graph.h"
#include "translation/process_modules.h"

namespace freshet::core {

// No loaded module has registered an operator under the name that a job asks for.
class FRESHET_API UnknownOperator final : public InvalidInput {
 public:
  using InvalidInput::InvalidInput;
  ~UnknownOperator() override;
};

// Throws UnknownOperator if no module has registered an operator under its name. Places that are
// out of range are left to JobGraph::validate().
FRESHET_API void complete_job(JobGraph& job, ProcessModules& modules);

}  // namespace freshet::core
