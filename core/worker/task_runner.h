// What a worker does for its JobMaster: listen for data, deploy its part of the job, open the two
// gates, cancel, report. The real one runs tasks on scheduler threads (job_tasks.h); the simulated
// one plays them.
//
// Order      listen, deploy once, then open_gate / commit / cancel / report, until ended() was
//            told. commit_prepared at any time after listen. A restarted job gets new workers.
// Threads    Calls from the control thread, none blocks for long. deploy() runs user code
//            on another thread and suspends the calling fiber meanwhile; the listener is
//            told from any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/job_client.h"
#include "freshet/plugin/operator.h"
#include "messages/deployment.h"
#include "network/transport.h"

namespace freshet::core {

class FRESHET_API TaskRunnerListener {
 public:
  virtual ~TaskRunnerListener();
  virtual void tasks_opened() = 0;                          // all of this worker
  virtual void tasks_finished(FinishedTasks finished) = 0;  // all of this worker
  virtual void tasks_failed(FailureInfo failure) = 0;  // the first; cancel() is up to the JobMaster
  // In place of tasks_failed() where the first failure is that the connection to another worker is
  // lost. Whether that one has ended is not known here.
  virtual void peer_lost(std::uint32_t worker, FailureInfo failure);
  virtual void told(std::uint32_t vertex, std::uint32_t subtask, std::string text) = 0;
  virtual void tasks_ended(TaskReport report) = 0;  // the last word
};

class FRESHET_API TaskRunner {
 public:
  virtual ~TaskRunner();
  // Binds the data socket: ipc in `folder` if all workers of the job share this host, else tcp on
  // `host`.
  virtual Address listen(bool one_host, const std::string& folder, const std::string& host) = 0;
  // Lets a client with this key collect rows from this worker.
  virtual void admit_reader(const PublicKey& key) = 0;
  // Throws what makes the job impossible here (a module of another build, a missing operator).
  virtual void deploy(const Deployment& deployment, TaskRunnerListener& listener) = 0;
  virtual void open_gate() = 0;  // every worker has told tasks_opened()
  virtual void commit() = 0;     // every worker has told tasks_finished(); calls commit(), closes
  // Commits what tasks have prepared, here or elsewhere. `told` is called from any thread, once for
  // each, with its place in the request. The next request comes when it was called for all.
  using OutcomeTold = std::function<void(std::size_t place, CommitOutcome outcome)>;
  virtual void commit_prepared(CommitRequest request, OutcomeTold told) = 0;
  virtual void cancel() = 0;  // may repeat
  virtual TaskReport report() const = 0;
};

}  // namespace freshet::core
