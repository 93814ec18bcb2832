// The role of a worker: says that it is ready, and puts what its JobMaster says into calls of a
// TaskRunner, and what its tasks tell into messages.
//
// Threads    The control thread; tasks tell from any.
// End        `on_end` is called once: everything is told and the JobMaster has let it go (code 0),
//            or the job manager is lost (code 1), which makes this worker nobody's.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "control/alive.h"
#include "control/control_thread.h"
#include "freshet/api.h"
#include "freshet/detail/unique_function.h"
#include "links/link.h"
#include "messages/child_starts.h"
#include "messages/messages.h"
#include "worker/task_runner.h"

namespace freshet::core {

class FRESHET_API WorkerRole final : private LinkListener, private TaskRunnerListener {
 public:
  using OnEnd = detail::UniqueFunction<void(int code, const std::string& why)>;
  // All outlives it; the tasks have ended before it is destroyed.
  WorkerRole(ControlThread& thread, Transport& transport, TaskRunner& tasks, WorkerStart start,
             std::string incarnation, std::int64_t process_id, LinkOptions links, OnEnd on_end);
  ~WorkerRole() override;

  // Binds the data socket and looks for the job manager. Throws InvalidInput.
  void start();

 private:
  void link_opened(Link& link) override;
  void link_lost(Link& link, const std::string& reason) override;
  void tasks_opened() override;
  void tasks_finished(FinishedTasks finished) override;
  void tasks_failed(FailureInfo failure) override;
  void peer_lost(std::uint32_t worker, FailureInfo failure) override;
  void told(std::uint32_t vertex, std::uint32_t subtask, std::string text) override;
  void tasks_ended(TaskReport report) override;

  // In the order in which tasks have told them, on the control thread.
  void tell(detail::UniqueFunction<void(Link&)> what);
  void tell_all();
  void tell_accumulated(Link& link);
  void deploy(const Deploy& message);
  Future<CommitPrepared::Answer> commit(CommitPrepared message);
  void end(int code, const std::string& why);

  ControlThread& thread_;
  TaskRunner& tasks_;
  const WorkerStart start_;
  const std::int64_t process_id_;
  OnEnd on_end_;
  Address data_;
  bool deployed_ = false;  // or it was tried to
  bool runs_ = false, tasks_ended_ = false, ended_ = false;
  Link* link_ = nullptr;
  MessageTable table_;

  std::mutex mutex_;
  std::deque<detail::UniqueFunction<void(Link&)>> untold_;
  // Shared with what is posted from other threads, which may come after our end.
  struct Life {
    std::mutex mutex;
    bool ended = false;
  };
  const std::shared_ptr<Life> life_ = std::make_shared<Life>();
  Alive alive_;
  std::unique_ptr<Links> links_;
};

}  // namespace freshet::core
