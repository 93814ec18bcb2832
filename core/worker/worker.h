// A worker: its role towards the JobMaster, and its part of one job.
//
// task_runner.h     the part of a job as the role sees it; the simulation has its own
// worker_role.h     the role
// worker_tasks.h, job_tasks.h
//     the real tasks
// worker_modules.h  loads the job's modules
// split_source.h    hands out splits
//
// Begin      task_runner.h
// Threads    The role lives on the control thread; tasks run on scheduler threads.
#pragma once

#include "worker/task_runner.h"
