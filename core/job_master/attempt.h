// One attempt to run a job: slots, workers, deploy, open, commit, end. It never starts anew: that
// is up to the JobMaster, which makes another attempt.
//
//   waiting for slots -> starting workers -> deployed -> opened -> finished -> committing -> ended
//   -> gone any of them, by failure or cancel() -> ending -> ended -> gone
//
// "Finished": all tasks have read, written and sent everything; they wait for commit(). From there
// on it is not run again if anything is to be committed. "Ended": no task of it runs any more.
// "Gone": its worker processes have ended too, and its slots are given back.
//
// Threads    The control thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/alive.h"
#include "control/control_thread.h"
#include "freshet/api.h"
#include "job_master/job_plan.h"
#include "job_master/job_states.h"
#include "resource_manager/resource_manager.h"
#include "resource_manager/task_managers.h"

namespace freshet::core {

class AttemptListener {
 public:
  virtual ~AttemptListener() = default;
  virtual void attempt_waits() = 0;   // there are not enough slots; at most once
  virtual void attempt_opened() = 0;  // every subtask has
  // The first failure; the attempt is ending. `fatal`: another attempt would be no better.
  // `blame` is the host's only if no subtask of it has run.
  virtual void attempt_failed(FailureInfo failure, bool fatal, Blame blame) = 0;
  virtual void attempt_told(OperatorTold told) = 0;
  virtual void attempt_finished() = 0;  // all its tasks; it waits for commit()
  virtual void attempt_committed(OutputCommitted output) = 0;
  virtual void attempt_ended() = 0;  // finished() says whether it came to its end by itself
  virtual void attempt_gone() = 0;  // the last call; the attempt may be destroyed after it returned
};

class FRESHET_API Attempt final : private WorkerEvents {
 public:
  struct Services {
    ControlThread& thread;
    ResourceManager& resources;
    TaskManagers& task_managers;
  };
  // All outlive it.
  Attempt(Services services, const JobPlan& plan, std::uint32_t number, AttemptListener& listener);
  ~Attempt() override;

  void start();
  void cancel(const std::string& reason);  // may repeat
  // It is of no use as it is, nor would another one be.
  void refuse(FailureInfo failure) { fail(std::move(failure), /*fatal=*/true); }
  // It is of no use as it is, but another one may be.
  void give_up(FailureInfo failure) { fail(std::move(failure), /*fatal=*/false); }

  // ---- once it has finished
  // What its sinks have prepared; whether a commit() of the simple kind is to be called, too.
  const std::vector<Committable>& committables() const { return committables_; }
  bool has_simple_commits() const;
  // Lets the tasks call commit() and end. If there are committables its workers stay, to be asked
  // to commit those, until let_go().
  void commit();
  // A worker that can be asked to commit what that subtask has prepared, best its own; null: none.
  Link* link_for(std::uint32_t vertex, std::uint32_t subtask) const;
  std::size_t workers() const { return workers_.size(); }
  void let_go();
  // Instead of that: kills them at once, whatever they commit just now.
  void stop();

  bool finished() const { return finished_; }
  bool ended() const { return ended_; }
  bool gone() const { return gone_; }
  bool waiting() const { return state_ == State::kWaiting; }
  bool is_ending() const { return state_ == State::kEnding; }
  // Of the worker that has subtask 0 of that vertex; empty until it is ready.
  Address data_of(std::uint32_t vertex) const;
  // "waits for slots: needs 4, …", "3 of 4 workers are ready"; empty while it runs.
  std::string detail() const;
  std::vector<SubtaskDetails> subtasks() const;
  // Of all workers: what they report now, or their last word. Workers that do not answer in time
  // are left out.
  Future<std::vector<TaskReport>> reports();
  // Lets the reader in at the worker that has subtask 0 of that vertex, once that worker is ready.
  // An empty endpoint if the attempt ends before.
  Future<Address> admit_reader(std::uint32_t vertex, const PublicKey& reader);

 private:
  using State = AttemptState;
  struct Worker {
    std::string task_manager;
    std::vector<SlotId> slots;
    std::vector<std::uint32_t> subtasks;  // places
    Link* link = nullptr;
    Address data;
    bool started = false;  // it was asked for
    bool ready = false, opened = false, finished = false;
    bool commits = false;           // simply
    bool ended = false;             // its tasks
    bool gone = false;              // its process
    std::uint64_t accumulated = 0;  // bytes, before it finished
    std::optional<TaskReport> report;
  };
  // That a worker has lost its connection to another one.
  struct LostPeer {
    std::uint32_t by, worker;
    FailureInfo failure;
  };
  struct Reader {
    std::uint32_t vertex;
    PublicKey key;
    Promise<Address> promise;
  };

  void granted(std::vector<SlotId> slots);
  void deploy();
  void fail(FailureInfo failure, bool fatal, Blame blame = Blame::kJob);
  void begin_to_end(const std::string& reason);
  void arm_kill();
  bool can_be_spared(const Worker& worker) const;
  void settle();
  void give_back(Worker& worker);
  void enter(State state);
  void enter(std::uint32_t worker, SubtaskState state, const std::string& reason);
  const Worker* worker_of(std::uint32_t vertex) const;
  void admit(Reader reader);
  void end_readers();
  WorkerId id_of(std::uint32_t worker) const;
  std::string text_of(std::uint32_t worker) const;
  template <class Flag>
  std::size_t count(Flag flag) const;

  void worker_ready(std::uint32_t number, Link& link, const Address& data) override;
  void tasks_opened(std::uint32_t number) override;
  void tasks_finished(std::uint32_t number, FinishedTasks finished) override;
  void tasks_failed(std::uint32_t number, FailureInfo failure) override;
  void peer_lost(std::uint32_t number, std::uint32_t peer, FailureInfo failure) override;
  void operator_told(std::uint32_t number, OperatorTold told) override;
  void tasks_accumulated(std::uint32_t number, TasksAccumulated accumulated) override;
  void tasks_ended(std::uint32_t number, TaskReport report) override;
  void output_committed(std::uint32_t number, OutputCommitted output) override;
  void worker_lost(std::uint32_t number) override;
  void worker_ended(std::uint32_t number, FailureInfo how, Blame blame) override;

  const Services services_;
  const JobPlan& plan_;
  const std::uint32_t number_;
  const std::string holder_;
  AttemptListener& listener_;

  State state_ = State::kCreated;
  std::vector<Worker> workers_;
  std::vector<std::string> hosts_;  // of the workers
  std::vector<std::uint32_t> worker_of_subtask_;
  SubtaskStates subtasks_;
  std::vector<Committable> committables_;
  bool finished_ = false;
  bool failed_ = false;
  bool ended_ = false;
  bool gone_ = false;
  std::vector<Reader> readers_;
  std::optional<LostPeer> lost_peer_;  // the first, while the end of that process is awaited
  std::optional<TimerId> slots_timer_, peer_timer_, kill_timer_;
  Alive alive_;
};

}  // namespace freshet::core
