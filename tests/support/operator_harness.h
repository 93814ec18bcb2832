// The operators of a job graph on the runtime's own tasks, with what a test decides: each record,
// each watermark, and how time goes by. All runs on the test's thread, before a call returns; no
// test of a timer sleeps.
//
//   OperatorHarness harness(graph);      // source "in" -> the operators -> sinks of the test
//   harness.push_row("a", 1'000);
//   harness.watermark(2'000);
//   harness.advance_ms(50);              // fires the timers of processing time
//   harness.end();
//   EXPECT_EQ(...)                       // what the sinks were given
//
// A source of the graph is not run: the harness stands in its place, so that it must not be chained
// to what reads it. In the order of the graph's edges they are the harness's inputs 0, 1, ... Sinks
// run; one that is chained sees records and watermarks in their exact order. Every vertex has
// parallelism 1.
//
// Threads    The one that made it. What operators post from other threads comes with the next call.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/buffer_budget.h"
#include "exchange/channel.h"
#include "freshet/configuration.h"
#include "freshet/metrics.h"
#include "freshet/plugin/byte_records.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/record_type.h"
#include "operators/outputs.h"
#include "operators/prepared_job.h"
#include "operators/subtask.h"
#include "test_fibers.h"

namespace freshet::testing {
using namespace core;

class OperatorHarness final : private JobServices, private SubtaskListener {
 public:
  // Opens the operators; whether that went well, failure() says. Throws InvalidInput if the graph
  // is none that can be run here.
  explicit OperatorHarness(JobGraph graph, Configuration configuration = {});
  // Cancels what has not ended.
  ~OperatorHarness() override;

  // A record of the type that the source would emit.
  template <class T>
  void push(const T& record, std::int64_t timestamp = kNoTimestamp, std::size_t input = 0) {
    Input& to = input_with_room(input);
    Batch& batch = to.output.open(record_type<T>());
    ::new (batch.raw_rows()) T(record);
    batch.timestamp_column()[0] = timestamp;
    batch.set_has_timestamps(timestamp != kNoTimestamp);
    batch.set_size(1);
    to.output.send(batch, true);
    run(to);
  }
  // A byte record.
  void push_row(std::string_view row, std::int64_t timestamp = kNoTimestamp, std::size_t input = 0);
  void push_keyed_row(std::string_view key, std::string_view value,
                      std::int64_t timestamp = kNoTimestamp, std::size_t input = 0);
  void watermark(std::int64_t timestamp, std::size_t input = 0);
  void end_input(std::size_t input);
  // Of all inputs that have not ended. With it the job ends, unless an operator waits for something.
  void end();

  // Both clocks go forward at once: what was due in between is due now.
  void advance_ms(std::int64_t milliseconds);
  // Milliseconds since the epoch.
  std::int64_t processing_time() { return fibers_.clock().wall_ms(); }

  // Every operator has ended and was closed.
  bool has_ended() const { return ended_ == subtasks_.size(); }
  // Why the job failed; the first of them.
  const std::optional<FailureInfo>& failure() const { return failure_; }
  // Of the vertex of that name.
  std::uint64_t records_in(const std::string& name) const { return metrics(name).records_in; }
  std::uint64_t records_out(const std::string& name) const { return metrics(name).records_out; }
  MetricValues user_metrics(const std::string& name) const;
  AccumulatorValue accumulator(const std::string& name) const;
  // What operators have reported for people.
  const std::vector<std::string>& told() const { return told_; }

 private:
  struct Input {
    Input(Channel& its_channel, Partitioning partitioning);
    Channel& channel;
    ChannelEdge edge;
    TaskOutput output;
    bool ended = false;
  };

  const Clock& clock() const override { return clock_; }
  const std::string& job_name() const override { return job_.graph().name; }
  const std::string& job_id() const override { return job_.graph().id; }
  ExecutionMode mode() const override { return ExecutionMode::kStreaming; }
  const Configuration& configuration() const override { return configuration_; }
  std::optional<std::string> next_split(std::uint32_t, std::uint32_t) override { return {}; }
  void send_result(std::uint32_t vertex, std::string rows) override;
  Accumulator& accumulator(std::uint32_t vertex, std::uint32_t subtask, std::string_view name,
                           AccumulatorKind kind) override;
  void count_metric(std::uint32_t, std::string_view) override {}
  void tell(std::uint32_t, std::uint32_t, std::string text) override {
    told_.push_back(std::move(text));
  }
  void subtask_opened() override { ++opened_; }
  void subtask_finished(std::vector<Committable> committables, bool commits) override;
  void subtask_failed(FailureInfo failure) override;
  void subtask_ended(const Subtask& subtask, std::optional<FailureInfo> failure) override;

  void make_tasks();
  void open();
  void wake_all();
  void cancel_all();
  Input& input_with_room(std::size_t input);
  void run(Input& input);
  std::uint32_t vertex_of(const std::string& name) const;
  const StageMetrics& metrics(const std::string& name) const;

  TestFibers fibers_;
  const Clock& clock_;
  const PreparedJob job_;
  const Configuration configuration_;
  BufferBudget budget_;
  Waiter writer_;  // of the inputs
  std::vector<std::unique_ptr<Channel>> channels_;
  std::deque<Input> inputs_;
  Subtask::Gates gates_;
  std::map<std::uint32_t, std::unique_ptr<Subtask>> subtasks_;  // by task
  std::size_t opened_ = 0, finished_ = 0, ended_ = 0;
  std::optional<FailureInfo> failure_;
  std::map<std::string, std::unique_ptr<Accumulator>, std::less<>> accumulators_;
  const std::shared_ptr<detail::AccumulatedBytes> accumulated_;
  std::vector<std::string> told_;
};

}  // namespace freshet::testing
