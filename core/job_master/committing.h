// The commit of a job whose tasks have all finished: asks workers to commit what sinks have
// prepared, again and again until all is visible, execution.commit-timeout is over, or it can't be.
//
// Workers of the last attempt that still live are asked first, each for what its own tasks have
// prepared; if none is left, as after a job manager was lost, a worker that never ran the job's
// tasks.
//
// If it fails, all workers that may be committing are stopped at once, and the failure is
// reported when they have ended: nothing becomes visible after that, and it names all that may be.
//
// Threads    The control thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/alive.h"
#include "freshet/api.h"
#include "job_master/attempt.h"
#include "job_master/commit_progress.h"
#include "job_master/job_plan.h"

namespace freshet::core {

class CommittingListener {
 public:
  virtual ~CommittingListener() = default;
  virtual void commit_changed() = 0;  // its detail()
  // Once, one of the two.
  virtual void committed() = 0;
  virtual void commit_failed(FailureInfo failure) = 0;
  virtual void commit_gone() = 0;  // after that; no worker of its own is left
};

class FRESHET_API Committing final : private WorkerEvents {
 public:
  // `attempt` may be null; all outlives it. `next_number` gives a number for a worker of its own,
  // as attempts have.
  Committing(Attempt::Services services, const JobPlan& plan, std::vector<Committable> committables,
             Attempt* attempt, std::function<std::uint32_t()> next_number,
             CommittingListener& listener);
  ~Committing() override;

  void start();
  // Fails it, as soon as no worker of it lives. May repeat. `why` as in CommitProgress::failure().
  void give_up(const std::string& why);
  // What workers of the attempt report.
  void note(const OutputCommitted& output);
  void attempt_gone() { settle(); }

  bool gone() const { return over_ && !own_; }
  std::string detail() const;

 private:
  // A worker that has none of the job's tasks.
  struct Own {
    WorkerId id;
    std::optional<SlotId> slot;  // none: it waits for one
    Link* link;
  };

  void round();
  void ask(Link& link, std::vector<std::size_t> places, bool deployed);
  void answered(const std::vector<std::size_t>& places,
                const Future<CommitPrepared::Answer>& answer);
  void end_round();
  void again();
  void start_worker();
  void granted(std::vector<SlotId> slots);
  void begin_to_end();
  void succeed();
  void settle();
  void fail();
  std::string holder() const;

  void worker_ready(std::uint32_t number, Link& link, const Address& data) override;
  void tasks_opened(std::uint32_t) override {}
  void tasks_finished(std::uint32_t, FinishedTasks) override {}
  void tasks_failed(std::uint32_t, FailureInfo) override {}
  void peer_lost(std::uint32_t, std::uint32_t, FailureInfo) override {}
  void operator_told(std::uint32_t, OperatorTold) override {}
  void tasks_accumulated(std::uint32_t, TasksAccumulated) override {}
  void tasks_ended(std::uint32_t, TaskReport) override {}
  void output_committed(std::uint32_t, OutputCommitted output) override { note(output); }
  void worker_lost(std::uint32_t number) override;
  void worker_ended(std::uint32_t number, FailureInfo how, Blame blame) override;

  const Attempt::Services services_;
  const JobPlan& plan_;
  CommitProgress progress_;
  Attempt* const attempt_;
  const std::function<std::uint32_t()> next_number_;
  CommittingListener& listener_;

  std::optional<Own> own_;
  std::string own_failed_;  // why the last one has ended
  std::size_t asking_ = 0;  // workers
  bool over_ = false;
  std::optional<std::string> fails_;  // why, until that is reported
  std::optional<TimerId> deadline_, again_;
  Alive alive_;
};

}  // namespace freshet::core
