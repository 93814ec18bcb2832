// Keyed state of operators. The table that is compiled into an aggregate is
// freshet/detail/state/keyed_table.h; here is what plugins and byte operators ask for.
//
// byte_state.h  keyed state in memory, by name
//
// Begin      byte_state.h
// Threads    The task's fiber.
#pragma once

#include "state/byte_state.h"
