// Forms of a JobGraph (freshet/plugin/job_graph.h): unrolled to subtasks, and printed.
//
// execution_graph.h  subtasks and channels
// plan_printer.h     the plan for people and programs
//
// Begin      execution_graph.h
// Threads    Any.
#pragma once

#include "graph/execution_graph.h"
