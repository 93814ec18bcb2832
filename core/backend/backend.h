// What an environment uses in the process of main.
//
// in_process_backend.h  from execute() to a running job
// local_job.h, running_jobs.h
//     jobs in this process
// this_process.h        its clock, and what deployers get
//
// Begin      in_process_backend.h
// Threads    Any.
#pragma once

#include "backend/in_process_backend.h"
