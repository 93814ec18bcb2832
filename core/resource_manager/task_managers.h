// The task managers that have registered, and the workers that they run, as the job manager sees
// them: starts and stops workers, and tells whoever asked for one what becomes of it.
//
// A worker is known by its id from start() until its WorkerEvents were told ended(): its process
// has ended, or its task manager is lost, which then ends it itself.
//
// Threads    The control thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/alive.h"
#include "control/control_thread.h"
#include "control/id_source.h"
#include "control/recent.h"
#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "links/link.h"
#include "messages/messages.h"
#include "resource_manager/resource_manager.h"
#include "security/peer_log.h"

namespace freshet::core {

// Whose failure the end of a worker is. One of the host, which ends or can't start processes, is
// not the job's.
enum class Blame : std::uint8_t { kJob, kHost };

// What becomes of one worker. In order: ready, then what its tasks say, ended last; ended() alone
// is certain.
class WorkerEvents {
 public:
  virtual ~WorkerEvents() = default;
  virtual void worker_ready(std::uint32_t number, Link& link, const Address& data) = 0;
  virtual void tasks_opened(std::uint32_t number) = 0;
  virtual void tasks_finished(std::uint32_t number, FinishedTasks finished) = 0;
  virtual void tasks_failed(std::uint32_t number, FailureInfo failure) = 0;
  // It has lost its connection to another worker of the job.
  virtual void peer_lost(std::uint32_t number, std::uint32_t peer, FailureInfo failure) = 0;
  virtual void operator_told(std::uint32_t number, OperatorTold told) = 0;
  virtual void tasks_accumulated(std::uint32_t number, TasksAccumulated accumulated) = 0;
  virtual void tasks_ended(std::uint32_t number, TaskReport report) = 0;
  virtual void output_committed(std::uint32_t number, OutputCommitted output) = 0;
  // Its link is invalid when this returns. Mostly its process has ended, or ends by itself, which
  // ended() tells soon; whoever is told here stops it if that does not come.
  virtual void worker_lost(std::uint32_t number) = 0;
  // Its message: "exited with 3", "killed by signal 9 (Killed)", "the link was lost: …", and its
  // last lines. Its operator, if it died in one by a signal.
  virtual void worker_ended(std::uint32_t number, FailureInfo how, Blame blame) = 0;
};

class FRESHET_API TaskManagers {
 public:
  // All outlive it.
  TaskManagers(ControlThread& thread, ResourceManager& resources, Transport& transport,
               IdSource& ids);
  ~TaskManagers();

  // Mistakes that the simulation must find: what a host fails in counts as the job's failure; one
  // that ends is given workers until it has.
  void seed_bug_of_blamed_jobs() { blames_jobs_ = true; }
  void seed_bug_of_unheard_ends() { hears_no_ends_ = true; }

  // Adds what task managers and workers say.
  void add_to(MessageTable& table);
  void link_lost(Link& link, const std::string& reason);  // nothing if it is of neither

  // Makes its keys, lets them in, and asks the task manager. What `message` says of the worker's
  // keys is filled in.
  void start(const std::string& task_manager, StartWorker message, WorkerEvents& events);
  void stop(const WorkerId& worker);  // SIGKILL; may repeat
  // Nobody is told of it any more; it is stopped.
  void abandon(const WorkerId& worker);

  // As ClusterClient::release_task_managers() has it. Throws InvalidInput once all are told to end.
  std::vector<std::string> release(const std::vector<std::string>& names, std::uint32_t count);
  bool has(const std::string& task_manager) const { return managers_.count(task_manager) != 0; }
  // Nobody holds a slot of it, no worker runs on it.
  bool is_idle(const std::string& task_manager) const;
  // Forgets it, and tells it to end now or, if it is not there yet, when it registers. Not unless
  // it is idle or not there.
  void let_go(const std::string& task_manager, const std::string& reason);

  const std::string& host_of(const std::string& task_manager) const;
  // Whether workers of both find each other's sockets without a network.
  bool meet(const std::string& one, const std::string& other) const;
  std::vector<TaskManagerInfo> infos() const;
  std::size_t size() const { return managers_.size(); }
  std::size_t workers() const { return workers_.size(); }
  // Whom to ask for a log: by the id of a task manager, or "<job id>:<worker>". Null: neither.
  Link* link_for_log(const std::string& process) const;
  void end_all(const std::string& reason);
  // Before the links go: nothing that they still answer is heard.
  void stop_listening() { alive_.end(); }

 private:
  struct Manager {
    Link* link;
    std::string host;
    std::int64_t process_id;
    std::uint32_t slots;
    std::string meeting_place;
    std::string ends = {};            // why, once it has begun to
    std::uint32_t failed_starts = 0;  // of workers, one after the other
  };
  struct Worker {
    std::string manager;
    WorkerEvents* events;
    PublicKey key;
    Link* link = nullptr;
    std::int64_t process_id = 0;
    std::string lost;      // why its link was lost
    bool stopped = false;  // by us
  };
  Done registered(Link& link, const RegisterTaskManager& message);
  void ready(Link& link, const WorkerReady& message);
  void ended(Link& link, const WorkerEnded& message);
  void begins_to_end(Link& link, const TaskManagerEnds& message);
  // It could not start a worker: it is given none for a while.
  void rest(const std::string& id, const std::string& reason);
  std::string lost_with(const std::string& id, const std::string& reason) const;
  void worker_is_gone(const WorkerId& id, const std::string& how, Blame blame);
  void worker_is_gone(const WorkerId& id, FailureInfo how, Blame blame);
  void manager_lost(const std::string& id, const std::string& reason);
  const WorkerId* worker_of(Link& link) const;

  ControlThread& thread_;
  ResourceManager& resources_;
  Transport& transport_;
  IdSource& ids_;
  PeerLog log_{PeerLog::kLinesAtOnceOfPeersLetIn, thread_.clock()};
  std::map<std::string, Manager> managers_;
  std::map<WorkerId, Worker> workers_;
  // Whose logs the workers' are, by "<job id>:<worker>", also after their end.
  Recent<std::string> manager_of_log_{512};
  Recent<std::string> let_go_{1024};  // why, by task manager
  bool ending_ = false;
  bool blames_jobs_ = false, hears_no_ends_ = false;
  Alive alive_;
};

}  // namespace freshet::core
