// Timers of operators, by event time and by processing time. Snapshots will walk them.
//
// timer_queue.h  the timers of one operator
//
// Begin      timer_queue.h
// Threads    The task's fiber.
#pragma once

#include "timers/timer_queue.h"
