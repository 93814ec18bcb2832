// The tasks of a job that run in this process: deploys them, opens their gates, watches them,
// cancels, tells how they ended.
//
// Begin here; remote_tasks.h is what they have to do with those of other workers, result_queue.h
// carries collected rows, split_source.h is a source's coordinator.
//
// Threads    Every public call from any thread, none blocks.
//            The tasks have one thread of their own, which deploys and at the end takes down what
//            it deployed.
//            The listener is told from it and from the tasks' fibers.
// Order      start, then open_gate after tasks_opened(), commit after tasks_finished(), or cancel
//            at any time.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "clock/clock.h"
#include "exchange/remote_tasks.h"
#include "exchange/result_queue.h"
#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/future.h"
#include "graph/execution_graph.h"
#include "operators/job_services.h"
#include "operators/prepared_job.h"
#include "operators/subtask.h"
#include "task/scheduler.h"
#include "worker/split_source.h"
#include "worker/task_runner.h"

namespace freshet::core {

class FRESHET_API JobTasks final : private JobServices,
                                   private SubtaskListener,
                                   private RemoteHost {
 public:
  // Every subtask of the job, or the part that is this worker's. Takes the serialised graph, as it
  // would come from elsewhere. Throws InvalidInput or DecodeError if it can't be run here. Clock,
  // the system's (SchedulerPool), and listener outlive the tasks.
  JobTasks(const Clock& clock, const std::string& job_graph, const Configuration& configuration,
           TaskRunnerListener& listener, std::optional<WorkerPart> part = std::nullopt);
  // Cancels what still runs, and waits for it. [not the tasks' own thread: see task/shared_end.h]
  ~JobTasks() override;

  const JobGraph& graph() const { return job_.graph(); }
  const PreparedJob& job() const { return job_; }
  const Configuration& configuration() const override { return configuration_; }

  // Joins the other workers, if there are any, and deploys.
  void start();
  // After tasks_ended() has returned.
  bool thread_ended() const { return thread_ended_.load(std::memory_order_acquire); }
  void open_gate();
  void commit();
  void cancel();  // what is prepared is removed
  // Also after the end.
  TaskReport report() const;
  std::int64_t running_ms() const;

  // The next rows of the collecting vertex of that id, as JobClient has it. Of a worker's part,
  // clients read them from its data socket.
  Future<std::optional<std::string>> next_result(const std::string& vertex);
  // The job is to be run anew by other tasks: what these collect is dropped, as is what nobody has
  // read of it. False if somebody has read some, and then the job can't be run anew.
  bool begin_results_anew();
  // From tasks of the same job, of which that was asked and which have ended: whoever waits for
  // their rows gets these. Before start().
  void take_results_of(JobTasks& former);
  // After the end: nothing follows what has been collected; `error` says why unless the job has
  // finished.
  void end_results(const std::exception_ptr& error);

 private:
  struct NamedAccumulator {
    AccumulatorKind kind;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<Accumulator>> parts;
  };

  const Clock& clock() const override { return clock_; }
  const std::string& job_name() const override { return job_.graph().name; }
  ExecutionMode mode() const override {
    return job_.graph().batch ? ExecutionMode::kBatch : ExecutionMode::kStreaming;
  }
  const std::string& job_id() const override { return job_.graph().id; }
  std::optional<std::string> next_split(std::uint32_t vertex, std::uint32_t subtask) override;
  void send_result(std::uint32_t vertex, std::string rows) override;
  Accumulator& accumulator(std::uint32_t vertex, std::uint32_t subtask, std::string_view name,
                           AccumulatorKind kind) override;
  void count_metric(std::uint32_t vertex, std::string_view name) override;
  void tell(std::uint32_t vertex, std::uint32_t subtask, std::string text) override;
  void subtask_opened() override;
  void subtask_finished(std::vector<Committable> committables, bool commits) override;
  void subtask_failed(FailureInfo failure) override;
  void subtask_ended(const Subtask& subtask, std::optional<FailureInfo> failure) override;

  void remote_failed(FailureInfo failure) override { subtask_failed(std::move(failure)); }
  void peer_lost(std::uint32_t worker, FailureInfo failure) override;
  void sender_finished() override { subtask_finished({}, false); }
  const RecordType& type_of_input(std::uint32_t place, std::uint32_t input) override;
  std::optional<std::string> local_split(std::uint32_t vertex, std::uint32_t subtask) override;
  void expect_splits_of(std::uint32_t vertex, std::uint32_t subtask) override;
  bool start_fiber(std::string name, FiberFunction function) override;
  ResultQueue* results_of(const std::string& vertex) override;

  bool is_here(std::uint32_t place) const {
    return !part_ || part_->worker_of_subtask[place] == part_->number;
  }
  std::uint32_t worker_of_splits(std::uint32_t vertex) const;
  void check_part() const;
  void build();
  void make_subtasks(std::uint32_t max_rows);
  std::vector<OperatorChain::EdgeChannels> connect(const Channel::Options& options);
  std::string name_of_subtask(const ExecutionGraph::SubtaskId& id) const;
  void run();
  void spawn(SchedulerPool& pool, std::uint32_t place, std::string name, FiberFunction function);
  void end_remote();
  void cancel_fibers();
  bool is_first(const FailureInfo& failure);
  void wake_subtasks();
  std::size_t thread_count() const;
  AccumulatorValues accumulators() const;  // [under the lock]

  const Clock& clock_;
  const PreparedJob job_;
  const Configuration configuration_;
  const ExecutionGraph execution_;
  TaskRunnerListener& listener_;
  const std::optional<WorkerPart> part_;  // else everything is here
  std::vector<std::uint32_t> thread_of_;  // by place
  std::map<std::uint32_t, SplitSource> splits_;
  std::map<std::uint32_t, ResultQueue> collected_;

  // Torn down before the end is told, in this order from the bottom.
  std::unique_ptr<BufferBudget> budget_;
  std::vector<std::unique_ptr<Subtask>> subtasks_;  // by place; null: in another worker
  std::vector<std::unique_ptr<Channel>> channels_;
  std::unique_ptr<RemoteTasks> remote_;  // null: there are no other workers

  Subtask::Gates gates_;

  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  std::vector<FiberHandle> fibers_;
  std::vector<FiberHandle> helpers_;  // that serve other workers
  SchedulerPool* pool_ = nullptr;     // while fibers may be started
  std::size_t here_ = 0;              // subtasks
  std::size_t opened_ = 0;
  std::size_t finished_ = 0;
  std::size_t ended_ = 0;
  bool canceled_ = false;
  FinishedTasks prepared_;  // until all have finished
  std::size_t prepared_bytes_ = 0;
  std::atomic<std::size_t> metric_bytes_{0};
  std::optional<FailureInfo> failure_;
  std::map<std::string, NamedAccumulator, std::less<>> accumulators_;
  const std::shared_ptr<detail::AccumulatedBytes> accumulated_ =
      std::make_shared<detail::AccumulatedBytes>();
  std::int64_t started_ns_ = 0;
  std::int64_t ended_ns_ = 0;
  bool torn_down_ = false;
  TaskReport last_report_;

  std::atomic<bool> thread_ended_{false};
  std::thread thread_;
};

}  // namespace freshet::core
