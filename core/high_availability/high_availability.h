// Who leads a cluster, and what outlives a job manager.
//
// leadership.h                   a job manager's part in the election
// kept_jobs.h                    graphs, committables and results
// persistence.h                  calls that must succeed
// no_high_availability.h         the service none
// high_availability_in_memory.h  a service for tests, and the model of a plugin
//
// Begin      leadership.h
// Threads    The control thread.
#pragma once

#include "high_availability/leadership.h"
