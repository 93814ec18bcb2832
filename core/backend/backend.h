// What an environment uses in the process of main.
//
// in_process_backend.h     from execute() to a running job, by the four below
// process_configuration.h  what is set for this process, and its plugins
// executors.h              who runs a pipeline
// pipeline_translation.h   from a pipeline to a JobGraph
// own_application.h        where the jobs of this main go, its begin and its end
// local_job.h, running_jobs.h
//     jobs in this process
// this_process.h           its clock, and what deployers get
//
// Begin      in_process_backend.h
// Threads    Any.
#pragma once

#include "backend/in_process_backend.h"
