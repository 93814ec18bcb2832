// A job in a child process, seen as a JobClient: its state is that of the process.
//
// Threads    Any. A thread of the job reads what the child says and waits for its end; clients may
//            go before it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "freshet/job_client.h"

namespace child_executor {

class ChildJob : public std::enable_shared_from_this<ChildJob> {
 public:
  // Starts `command`, which runs the job and removes nothing: `plan` is removed at the end. Throws
  // Error if there is no such program.
  static std::shared_ptr<ChildJob> start(std::string job_id, std::string job_name,
                                         const std::vector<std::string>& command, std::string plan);

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  freshet::JobStatus status() const;
  freshet::Future<freshet::JobResult> result() const { return result_; }
  void cancel();

 private:
  ChildJob(std::string id, std::string name, std::string plan);
  // The job's thread: a child lives no longer than the thread that started it.
  void run(const std::vector<std::string>& command, freshet::Promise<void> started);
  void start_child(const std::vector<std::string>& command, int errors);
  void watch(int errors);

  const std::string id_, name_, plan_;
  const std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  pid_t child_ = 0;  // 0: it has ended
  freshet::JobStatus status_ = freshet::JobStatus::kRunning;
  freshet::Promise<freshet::JobResult> promise_;
  const freshet::Future<freshet::JobResult> result_;
};

std::unique_ptr<freshet::JobClient> client_of(std::shared_ptr<ChildJob> job);

}  // namespace child_executor
