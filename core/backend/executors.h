// The executor plugins of this process: each is made once, and runs the pipelines of its targets.
//
// Threads    Any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "backend/process_configuration.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/job_client.h"
#include "freshet/plugin/executor.h"
#include "freshet/plugin/pipeline.h"

namespace freshet::core {

class FRESHET_API Executors {
 public:
  // `services` is what the executors get. Both outlive it.
  Executors(ProcessConfiguration& process, ExecutorServices& services)
      : process_(process), services_(services) {}

  // Finds the executor for the configuration's target and hands the pipeline on. Throws NoExecutor,
  // SeveralExecutors, or InvalidInput for a target that takes whole applications.
  Future<std::unique_ptr<JobClient>> execute(const Pipeline& pipeline,
                                             const Configuration& configuration);
  // Waits until every job that was handed to an executor has been taken or refused.
  void wait_for_submissions();
  // Whether an executor has been given a job.
  bool has_submitted() const { return has_submitted_; }

 private:
  Executor& executor_for(const Configuration& configuration);

  ProcessConfiguration& process_;
  ExecutorServices& services_;
  std::atomic<bool> has_submitted_{false};
  std::mutex mutex_;
  std::map<const ExecutorFactory*, std::unique_ptr<Executor>> executors_;
  std::vector<Future<void>> submissions_;
};

}  // namespace freshet::core
