// How many descriptors this process may have open.
//
// Threads    Any.
#pragma once

#include "freshet/api.h"

namespace freshet::core {

// The soft limit (ulimit -n), which is what counts.
FRESHET_API int descriptor_limit();

// Raises the soft limit to the hard one, a million at most. The programs that it starts inherit it.
// A daemon calls it at its start, because each peer, child and open file takes descriptors.
FRESHET_API void raise_descriptor_limit();

// Throws InvalidInput if this process may have too few open to talk to others: a socket that gets
// none ends the process.
FRESHET_API void require_descriptors();

}  // namespace freshet::core
