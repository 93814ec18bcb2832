// The descriptors 0 to 2 of a process that was started without them.
#pragma once

#include "freshet/api.h"

namespace freshet {

// Opens those that are closed on /dev/null. First thing in a process: else what is opened first
// takes their numbers, and is written to as standard output.
FRESHET_API void open_closed_streams();

}  // namespace freshet
