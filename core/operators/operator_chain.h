// The operators of one subtask: made from its links, wired to each other and to its channels.
//
// Threads    The task's fiber, except metrics().
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "checkpoint/committable.h"
#include "crash/crash_handler.h"
#include "freshet/api.h"
#include "freshet/metrics.h"
#include "operators/chain_position.h"
#include "operators/job_services.h"
#include "operators/outputs.h"
#include "operators/prepared_job.h"
#include "operators/services.h"
#include "operators/task_host.h"

namespace freshet::core {

class FRESHET_API OperatorChain final : public CrashContext {
 public:
  // The channels of an edge that leaves the task, in the order of the consumer's subtasks.
  using EdgeChannels = std::map<std::uint32_t, std::vector<Channel*>>;

  OperatorChain(const PreparedJob& job, JobServices& services, std::uint32_t task,
                std::uint32_t subtask, const EdgeChannels& channels, BatchShape chained);
  ~OperatorChain();

  // Before open(); outlives the chain's operators.
  void set_host(TaskHost& host) { host_ = &host; }
  // Makes and opens the operators.
  void open();
  bool is_source() const;
  Progress run(std::uint32_t records);
  void process(std::uint32_t input, Batch& batch);
  void watermark(std::int64_t timestamp);
  // Of the first operator; others of its inputs have not ended.
  void end_of_input(std::uint32_t input);
  // All have, `last` as the last. Each operator comes to its end, one after the other.
  void end_of_inputs(std::uint32_t last);
  // Whether operators have timers, mail or held time to be attended to between calls.
  bool needs_attention() const { return !attended_.empty(); }
  void attend();
  // When attend() is needed next, by the monotonic clock.
  std::int64_t next_due_ns() const;
  void input_ran_dry();
  void flush();
  void end_outputs();
  // What its operators have to commit, once all have ended.
  std::vector<Committable> prepare_commit();
  // That will not be committed.
  void abort_prepared();
  // Whether commit() does something. [after open()]
  bool commits() const;
  void commit();
  void close();

  // What the first operator says of that input. [after open()]
  const RecordType* input_type(std::uint32_t input) const;

  // In a catch (...) block: what failed, in the words of the job.
  FailureInfo current_failure() const;

  // Which operators run, and on which records.
  void write_to(CrashText& to) const noexcept override;

  std::uint32_t subtask() const { return subtask_; }
  // By the place of the vertex in the graph. [any thread, after the constructor]
  const std::map<std::uint32_t, const StageMetrics*>& metrics() const { return metrics_; }
  // What the code of those vertices counts. [any thread, after the constructor]
  std::map<std::uint32_t, MetricValues> user_metrics() const;

 private:
  class Context;
  class LinkContext;
  struct Link;

  template <class Call>
  void each_link(Call&& call);
  void make_checks();
  Services& services_of(std::uint32_t link);

  const PreparedJob& job_;
  JobServices& services_;
  const JobTask& task_;
  std::uint32_t task_place_;
  std::uint32_t subtask_;
  std::deque<Link> links_;
  std::vector<std::unique_ptr<OutputEdge>> edges_;
  std::vector<OutputEdge*> outer_edges_;
  std::map<std::uint32_t, RowsCheck> checks_;  // by input, of what comes from other tasks
  std::map<std::uint32_t, const StageMetrics*> metrics_;
  TaskHost* host_ = nullptr;
  std::vector<Services*> attended_;  // of the operators that have asked for theirs
  struct Prepared {
    std::uint32_t link, stage;
    std::string bytes;
  };
  std::vector<Prepared> prepared_;
  ChainPosition position_;
};

}  // namespace freshet::core
