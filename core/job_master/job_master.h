// One job in this process: deploys its subtasks, watches them, cancels, tells how it ended.
//
// Begin here; execution_graph.h unrolls the plan, result_queue.h carries collected rows.
//
// Threads    Every public call from any thread, none blocks. The job has one thread of its own,
//            which deploys and at the end takes down what it deployed.
// States     created -> running -> finished; running -> failing -> failed; any -> canceling ->
//            canceled. Each is entered once.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "freshet/api.h"
#include "freshet/configuration.h"
#include "freshet/future.h"
#include "freshet/job_client.h"
#include "job_master/execution_graph.h"
#include "job_master/message_log.h"
#include "job_master/result_queue.h"
#include "job_master/split_source.h"
#include "operators/job_services.h"
#include "operators/prepared_job.h"
#include "operators/subtask.h"
#include "task/scheduler.h"

namespace freshet {

class FRESHET_API JobMaster final : private JobServices, private SubtaskListener {
 public:
  // Takes the serialised graph, as it would come from elsewhere. Throws InvalidInput or DecodeError
  // if it can't be run here.
  JobMaster(const std::string& job_graph, const Configuration& configuration);
  // Cancels what still runs, and waits for it.
  ~JobMaster() override;

  void start();
  // After result() and its continuations: whoever lets go of the job now does not wait for them.
  bool thread_ended() const { return thread_ended_.load(std::memory_order_acquire); }
  const std::string& job_id() const { return job_.graph().id; }
  const std::string& name() const { return job_.graph().name; }
  JobStatus status() const;
  Future<JobResult> result() const { return result_; }
  void cancel();
  AccumulatorValues accumulators() const;
  JobDetails details() const;
  Future<std::optional<std::string>> next_result(const std::string& vertex);
  Future<std::optional<JobMessage>> next_message(std::uint64_t after) {
    return messages_.next(after);
  }

 private:
  // One vertex's splits, one call at a time.
  struct NamedAccumulator {
    AccumulatorKind kind;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<Accumulator>> parts;
  };

  const std::string& job_name() const override { return job_.graph().name; }
  ExecutionMode mode() const override {
    return job_.graph().batch ? ExecutionMode::kBatch : ExecutionMode::kStreaming;
  }
  const Configuration& configuration() const override { return configuration_; }
  std::optional<std::string> next_split(std::uint32_t vertex, std::uint32_t subtask) override;
  void send_result(std::uint32_t vertex, std::string rows) override;
  Accumulator& accumulator(std::uint32_t vertex, std::uint32_t subtask, std::string_view name,
                           AccumulatorKind kind) override;
  void tell(std::uint32_t vertex, std::uint32_t subtask, std::string text) override;
  void subtask_opened() override;
  void subtask_finished() override;
  void subtask_failed(FailureInfo failure) override;
  void subtask_ended(const Subtask& subtask, std::optional<FailureInfo> failure) override;

  void build();
  void run();
  void cancel_subtasks();
  // [under the lock; messages_.publish() follows outside of it]
  void enter(JobStatus status);
  std::size_t thread_count() const;
  std::int64_t running_ms() const;

  const PreparedJob job_;
  const Configuration configuration_;
  const ExecutionGraph execution_;
  std::map<std::uint32_t, SplitSource> splits_;
  std::map<std::uint32_t, ResultQueue> collected_;

  // Torn down before the result is told, in this order from the bottom.
  std::unique_ptr<BufferBudget> budget_;
  std::vector<std::unique_ptr<Subtask>> subtasks_;
  std::vector<std::unique_ptr<Channel>> channels_;

  Subtask::Gates gates_;

  mutable std::mutex mutex_;
  std::condition_variable all_ended_;
  JobStatus status_ = JobStatus::kCreated;
  std::vector<FiberHandle> fibers_;
  std::size_t opened_ = 0;
  std::size_t finished_ = 0;
  std::size_t ended_ = 0;
  bool cancel_requested_ = false;
  std::optional<FailureInfo> failure_;
  std::map<std::string, NamedAccumulator, std::less<>> accumulators_;
  std::int64_t started_ns_ = 0;
  std::int64_t ended_ns_ = 0;
  bool torn_down_ = false;
  JobDetails last_details_;

  MessageLog messages_;
  Promise<JobResult> promise_;
  const Future<JobResult> result_;
  std::atomic<bool> thread_ended_{false};
  std::thread thread_;
};

}  // namespace freshet
