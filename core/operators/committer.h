// Commits what sinks have prepared, in whatever process has the job's modules.
//
// Threads    Any that has no fibers; blocks until all is done. User code runs in fibers of its own.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "checkpoint/committable.h"
#include "clock/clock.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "operators/prepared_job.h"

namespace freshet::core {

// Bytes of the text of each, when so many travel in one message.
FRESHET_API std::size_t most_text_of_commit(std::size_t committables);

// What became of the one at `place`. Called from several threads at once; throws nothing.
using OutcomeTold = std::function<void(std::size_t place, CommitOutcome outcome)>;

// Each by an operator of its own that is never opened, several at once. Reports each outcome as soon
// as it is known, once: so what is visible is known although another commit() never returns. Nothing
// is thrown.
FRESHET_API void commit_all(const Clock& clock, const PreparedJob& job,
                            const std::vector<Committable>& committables,
                            const Configuration& configuration, const OutcomeTold& told);

}  // namespace freshet::core
