// The jobs that run in this process. They go on when their client is dropped, and are canceled when
// the process ends.
//
// Threads    Any.
#pragma once

#include <sys/types.h>

#include <memory>
#include <mutex>
#include <vector>

#include "backend/local_job.h"
#include "freshet/api.h"
#include "freshet/job_client.h"

namespace freshet::core {

class FRESHET_API RunningJobs {
 public:
  static RunningJobs& instance();

  // Starts it. The client shares it.
  std::unique_ptr<JobClient> start(std::unique_ptr<LocalJob> job);
  // Those that have not ended.
  std::vector<std::shared_ptr<LocalJob>> running();
  // How those ended that have, in the order of their start, without their accumulators.
  std::vector<JobResult> ended();
  // Cancels what runs and waits for its end.
  void cancel_all();

 private:
  RunningJobs();
  ~RunningJobs();
  // In a child that was forked when they had ended, and that may run jobs of its own.
  void forget_those_of_the_parent();

  // A job that has ended leaves its result alone; its thread and its plan go.
  struct Entry {
    std::shared_ptr<LocalJob> job;
    JobResult result;
  };
  std::vector<std::shared_ptr<LocalJob>> kept();

  std::mutex mutex_;
  pid_t process_;
  std::vector<Entry> jobs_;
};

}  // namespace freshet::core
