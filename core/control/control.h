// The thread on which the roles of a process live, its timers, and what their handlers need
// wherever they run.
//
// control_thread.h  posted functions, fibers, timers; the simulation has its own
// alive.h           guards callbacks against an owner that has gone
// id_source.h       where ids and keys come from
// recent.h          a bounded memory of names
//
// Begin      control_thread.h
// Threads    The control thread, but for post().
#pragma once

#include "control/control_thread.h"
