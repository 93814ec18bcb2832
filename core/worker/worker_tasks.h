// The TaskRunner of a real worker: its job's tasks on scheduler threads, its data socket on the
// network thread.
//
// Begin here; job_tasks.h runs the tasks, data_plane.h is the socket, worker_modules.h loads code.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "clock/clock.h"
#include "exchange/data_plane.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "network/network_thread.h"
#include "security/keys.h"
#include "worker/job_tasks.h"
#include "worker/task_runner.h"

namespace freshet::core {

class FRESHET_API WorkerTasks final : public TaskRunner {
 public:
  // Clock and network thread outlive it, and so does its ZAP handler, which may be missing if all
  // workers of the job share this host. `own` is this worker's key pair. `configuration` is the
  // cluster's; the job's settings are in its graph.
  WorkerTasks(const Clock& clock, NetworkThread& network, KeyPair own, Configuration configuration,
              ZapHandler* zap = nullptr);
  // Cancels what still runs, and waits for it; for a commit, too. [a thread that is not the network
  // thread]
  ~WorkerTasks() override;

  Address listen(bool one_host, const std::string& folder, const std::string& host) override;
  void admit_reader(const PublicKey& key) override;
  void deploy(const Deployment& deployment, TaskRunnerListener& listener) override;
  void open_gate() override;
  void commit() override;
  void commit_prepared(CommitRequest request, OutcomeTold told) override;
  void cancel() override;
  TaskReport report() const override;

 private:
  const Clock& clock_;
  DataPlane plane_;
  const Configuration configuration_;
  std::unique_ptr<JobTasks> tasks_;  // ends before its socket
  std::thread committing_;           // of the last request; ends before the tasks
};

}  // namespace freshet::core
