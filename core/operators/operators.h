// One subtask: its chain of operators, their services, and the loop of its fiber.
//
// subtask.h         inputs, the loop, the end
// operator_chain.h  the operators, wired
// chain_position.h  which of them runs
// outputs.h         where records go
// services.h, task_host.h
//     what an operator may ask for
// outside_mail.h    how other threads get in
// job_services.h    what tasks ask of their job
// prepared_job.h    a JobGraph with this process's operators
// committer.h       commits what sinks have prepared
//
// Begin      subtask.h
// Threads    The task's fiber.
#pragma once

#include "operators/subtask.h"
