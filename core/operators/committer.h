// Commits what sinks have prepared, in whatever process has the job's modules.
//
// Threads    Any that has no fibers; blocks until all is done. User code runs in fibers of its own.
#pragma once

#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "operators/committable.h"
#include "operators/prepared_job.h"

namespace freshet {

// Each by an operator of its own that is never opened, several at once. An outcome for each, in
// their order; nothing is thrown.
FRESHET_API std::vector<CommitOutcome> commit_all(const PreparedJob& job,
                                                  const std::vector<Committable>& committables,
                                                  const Configuration& configuration);

}  // namespace freshet
