// What a task has prepared at a point of its streams, and what becomes of it. Snapshots will
// use the same seam.
//
// committable.h  what sinks hand over, and the outcome of its commit
//
// Begin      committable.h
// Threads    Any: plain values.
#pragma once

#include "checkpoint/committable.h"
