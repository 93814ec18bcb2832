// One job on a cluster: makes attempts until one has finished, none is left, or it is canceled;
// keeps its states, messages, and in the end its result.
//
// Begin here; attempt.h is one attempt, committing.h the commit after it, job_plan.h what is run,
// job_states.h the states.
//
// Threads    The control thread. Futures complete there.
// End        Once the job is in its end state it stays so, and the plan is let go; the record
//            remains. is_gone(): no process of the job is left either.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/alive.h"
#include "freshet/api.h"
#include "freshet/cluster_client.h"
#include "freshet/detail/unique_function.h"
#include "freshet/job_client.h"
#include "job_master/attempt.h"
#include "job_master/committing.h"
#include "job_master/job_plan.h"
#include "job_master/job_states.h"
#include "job_master/message_log.h"
#include "messages/job_commit.h"
#include "messages/messages.h"

namespace freshet::core {

class JobMaster;

class JobMasterListener {
 public:
  virtual ~JobMasterListener() = default;
  virtual void job_changed(JobMaster& job) = 0;  // its status, or what it waits for
  virtual void job_ended(JobMaster& job) = 0;    // after job_changed(); once
  virtual void job_gone(JobMaster& job) = 0;     // after job_ended(); once
  // Before anybody is told of the end: keeps job.result() for whoever leads next, then calls
  // `kept`, once, or never if it leads no more.
  virtual void keep_result(JobMaster& job, detail::UniqueFunction<void()> kept);
  // Before anything is committed: keeps job.commit() for whoever leads next, then calls `kept`,
  // once, or never if it leads no more.
  virtual void keep_commit(JobMaster& job, detail::UniqueFunction<void()> kept);
};

class FRESHET_API JobMaster final : private AttemptListener, private CommittingListener {
 public:
  // Throws InvalidInput or DecodeError if the graph can't be run. All else outlives it.
  JobMaster(Attempt::Services services, const std::string& job_graph, std::string application_id,
            std::string ticket, JobMasterListener& listener);
  ~JobMaster() override;

  void start();
  // Instead of start(): its tasks had all finished under an earlier leader.
  void start_to_commit(JobCommit commit);
  // May repeat; nothing once it has ended, or while it is committing. `by_main`: of its
  // application, which goes on.
  void cancel(const std::string& reason, bool by_main = false);
  // Whether that is why it was canceled.
  bool was_canceled_by_main() const { return canceled_by_main_; }
  // From when its committables are being kept: it is not run again and can't be canceled.
  bool is_committing() const { return keeps_commit_ || status_ == JobStatus::kCommitting; }
  // cancel(), and if it is committing: fails it.
  void cancel_by_force(const std::string& reason);

  const std::string& id() const { return id_; }
  const std::string& name() const { return name_; }
  const std::string& application_id() const { return application_id_; }
  const std::string& ticket() const { return ticket_; }                       // of the submission
  const std::vector<JobModule>& shipped() const { return plan_->shipped(); }  // [until is_gone()]
  JobStatus status() const { return status_; }
  bool has_ended() const { return is_terminal(status_); }
  bool is_gone() const { return gone_; }
  JobInfo info() const;
  // Its place in lists.
  std::uint64_t number() const { return number_; }
  void set_number(std::uint64_t number) { number_ = number; }
  const JobResult& result() const { return result_; }  // [once it has ended, in keep_result()]
  const JobCommit& commit() const { return commit_; }  // [in keep_commit()]
  // Of the end that is being kept: as info() tells it afterwards.
  JobInfo info_of_end() const;
  // What it waits for while its end, or its commit, is being kept.
  void keeping_fails(const std::string& error);

  Future<JobResult> ended();
  Future<JobDetails> details();
  Future<AccumulatorValues> accumulators();
  Future<std::optional<JobMessage>> next_message(std::uint64_t after) {
    return messages_.next(after);
  }
  // Completes with an empty address once no attempt can have other rows.
  Future<CollectAddress::Answer> collect_address(const CollectAddress& message);
  // Whether the rows of that worker count. Then it is not run again.
  bool keep_rows(const KeepRows& message);

 private:
  // A client that waits for an attempt whose rows it has not read.
  struct Collector {
    std::uint32_t vertex;  // place
    PublicKey key;
    Address read;
    Promise<CollectAddress::Answer> promise;
  };

  void begin_attempt();
  void serve_collectors();
  void collector_admitted(Collector collector, const Address& address);
  void enter(JobStatus status, const std::string& reason);
  void end(JobStatus status);
  void finish_end(JobStatus status, const std::vector<TaskReport>& reports);
  void end_is_kept(JobStatus status);
  void drop_attempts();
  JobDetails merged(const std::vector<TaskReport>& reports) const;
  AccumulatorValues merged_accumulators(const std::vector<TaskReport>& reports) const;
  std::int64_t running_ms() const;
  void check_gone();

  void attempt_waits() override;
  void attempt_opened() override;
  void attempt_failed(FailureInfo failure, bool fatal, Blame blame) override;
  bool may_start_again() const;
  bool may_restart(FailureInfo& failure);
  void attempt_told(OperatorTold told) override;
  void attempt_finished() override;
  void attempt_ended() override;
  void attempt_gone() override;
  void attempt_committed(OutputCommitted output) override;
  void commit_changed() override { listener_.job_changed(*this); }
  void committed() override;
  void commit_failed(FailureInfo failure) override;
  void commit_gone() override;
  void commit_is_kept();
  void begin_to_commit();

  const Attempt::Services services_;
  JobMasterListener& listener_;
  std::unique_ptr<JobPlan> plan_;  // until it has ended and is gone
  const std::string id_, name_, application_id_, ticket_;

  JobStatus status_ = JobStatus::kCreated;
  std::string reason_;
  std::optional<FailureInfo> failure_;
  std::uint32_t attempts_ = 0;
  std::int32_t restarts_left_ = 0;
  std::map<std::uint32_t, std::unique_ptr<Attempt>> running_;  // by number; until they are gone
  Attempt* current_ = nullptr;
  std::vector<Collector> collectors_;  // that wait for the next attempt
  bool rows_are_read_ = false;         // by a client, of the current attempt
  std::optional<TimerId> restart_timer_;
  bool keeps_commit_ = false;
  JobCommit commit_;
  std::unique_ptr<Committing> committing_;
  bool canceled_by_main_ = false;
  bool keeps_result_ = false;  // it has ended, which nobody is told before it is kept
  std::string keeping_error_;  // of the last try; empty: there was none
  bool gone_ = false;

  std::uint64_t number_ = 0;
  std::int64_t since_ms_ = 0, ended_ms_ = 0;  // since the epoch
  std::int64_t started_ns_ = 0, ended_ns_ = 0;
  std::string host_failure_;          // the last one since it began to start
  std::int64_t starts_since_ns_ = 0;  // the attempts that have not opened; 0: none
  MessageLog messages_;
  JobResult result_;
  JobDetails last_details_;
  Promise<JobResult> promise_;
  const Future<JobResult> end_;
  Alive alive_;
};

}  // namespace freshet::core
