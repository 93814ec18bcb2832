// Jobs of operators that a test writes itself, wired as a front end would wire them: no DataStream.
//
//   OperatorJob job("name");
//   const auto numbers = job.source("numbers", script({{"1", 10}, {"2", 20}}));
//   const auto op = job.add("op", [] { return std::make_unique<Mine>(); }, {.keyed_outputs =
//   {false}}); job.connect(numbers, op); Rows rows; job.connect(op, job.sink("sink", rows));
//   run(job);
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "backend/local_job.h"
#include "backend/running_jobs.h"
#include "clock/clock.h"
#include "freshet/configuration.h"
#include "freshet/options.h"
#include "freshet/payload.h"
#include "freshet/plugin/byte_records.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/operator_services.h"
#include "freshet/runtime_context.h"
#include "job_graphs.h"
#include "translation/completion.h"
#include "workers.h"

namespace freshet::testing {
using namespace core;

using MakeOperator = std::function<std::unique_ptr<Operator>()>;

// The makers of this process, by number: an operator's payload is its number.
inline std::vector<MakeOperator>& operator_makers() {
  static std::vector<MakeOperator> makers;
  return makers;
}

class MadeOperator {
 public:
  static std::unique_ptr<Operator> make(PayloadReader* payload, std::size_t) {
    return operator_makers().at(payload->value<std::uint64_t>())();
  }
};

// What a sink was given, in order of arrival.
class Rows {
 public:
  void add(std::string row) {
    const std::lock_guard lock(mutex_);
    rows_.push_back(std::move(row));
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return rows_;
  }
  std::vector<std::string> sorted() const {
    auto rows = all();
    std::sort(rows.begin(), rows.end());
    return rows;
  }
  std::size_t size() const { return all().size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> rows_;
};

// With empty hooks, for tests to fill in.
class QuietOperator : public Operator {
 public:
  void open(OperatorContext& context) override {
    context_ = &context;
    services_ = &context.services();
    if (context.outputs() > 0) out_ = ByteOutput(context.output(0), ByteOutput::Keys::kNone);
  }
  void process(std::uint32_t, Batch& batch) override {
    const ByteRows rows(batch);
    for (std::uint32_t i = 0; i < rows.size(); ++i) row(rows, i);
    if (context_->outputs() > 0) out_.flush();
  }
  virtual void row(const ByteRows&, std::uint32_t) {}
  void watermark(std::int64_t timestamp) override {
    for (std::uint32_t o = 0; o < context_->outputs(); ++o)
      context_->output(o).watermark(timestamp);
  }
  void end_of_input(std::uint32_t) override {}

 protected:
  void emit_now(std::string_view row, std::int64_t timestamp = kNoTimestamp) {
    out_.emit(row, timestamp);
    out_.flush();
  }
  OperatorContext* context_ = nullptr;
  OperatorServices* services_ = nullptr;
  ByteOutput out_;
};

// A row, or, with an empty text, a watermark.
struct Scripted {
  std::string text;
  std::int64_t timestamp = kNoTimestamp;
  std::string key = {};
};
inline Scripted mark(std::int64_t timestamp) { return {"", timestamp}; }

// Emits a script, one batch per row, then waits for `go_on` if there is one, and ends.
class ScriptSource final : public QuietOperator {
 public:
  ScriptSource(std::vector<Scripted> script, bool keyed, const std::atomic<bool>* go_on)
      : script_(std::move(script)), keyed_(keyed), go_on_(go_on) {}
  void open(OperatorContext& context) override {
    context_ = &context;
    out_ =
        ByteOutput(context.output(0), keyed_ ? ByteOutput::Keys::kKeyed : ByteOutput::Keys::kNone);
  }
  Progress run(std::uint32_t) override {
    if (at_ == script_.size()) {
      if (!go_on_ || go_on_->load()) return {Progress::Kind::kEnd};
      return {Progress::Kind::kWaiting, context_->stage(0).now() + 1'000'000};
    }
    const Scripted& next = script_[at_++];
    if (next.text.empty()) {
      context_->output(0).watermark(next.timestamp);
    } else if (keyed_) {
      out_.emit_keyed(next.key, next.text, next.timestamp);
    } else {
      out_.emit(next.text, next.timestamp);
    }
    out_.flush();
    return {Progress::Kind::kMore};
  }

 private:
  const std::vector<Scripted> script_;
  const bool keyed_;
  const std::atomic<bool>* const go_on_;
  std::size_t at_ = 0;
};

// Notes rows, "mark N" for watermarks, and "end".
class NotingSink final : public QuietOperator {
 public:
  NotingSink(Rows& rows, bool marks) : rows_(rows), marks_(marks) {}
  void open(OperatorContext& context) override { context_ = &context; }
  void row(const ByteRows& rows, std::uint32_t i) override {
    rows_.add(std::string(rows.record(i)));
  }
  void watermark(std::int64_t timestamp) override {
    if (marks_) rows_.add("mark " + std::to_string(timestamp));
  }
  void end_of_input(std::uint32_t) override {
    if (marks_) rows_.add("end");
  }

 private:
  Rows& rows_;
  const bool marks_;
};

struct Shape {
  std::uint32_t parallelism = 1;
  std::vector<bool> keyed_outputs = {};  // an output each
  bool source = false;
};
struct Way {
  std::uint32_t output = 0;
  std::uint32_t input = 0;
  Partitioning partitioning = Partitioning::kForward;
  bool chained = false;
};

class OperatorJob {
 public:
  explicit OperatorJob(std::string name) {
    static std::atomic<std::uint64_t> jobs{1};
    graph_.name = std::move(name);
    graph_.id = hex(32, jobs++);
  }

  std::uint32_t add(std::string name, MakeOperator make, Shape shape) {
    JobVertex vertex;
    vertex.kind = vertex.name = name;
    vertex.uid = std::move(name);
    vertex.op.registered_name = "test.made";
    operator_makers().push_back(std::move(make));
    ByteWriter payload;
    Serde<std::uint64_t>::write(payload, operator_makers().size() - 1);
    vertex.payload.bytes.assign(payload.data(), payload.size());
    vertex.parallelism = shape.parallelism;
    vertex.source = shape.source;
    for (const bool keyed : shape.keyed_outputs) {
      const ByteSchema schema = keyed ? keyed_byte_record_schema() : byte_record_schema();
      vertex.outputs.push_back({schema.text, schema.fingerprint, false});
    }
    graph_.vertices.push_back(std::move(vertex));
    return static_cast<std::uint32_t>(graph_.vertices.size() - 1);
  }
  std::uint32_t source(std::string name, std::vector<Scripted> script, bool keyed = false,
                       const std::atomic<bool>* go_on = nullptr) {
    const auto make = [script = std::move(script), keyed, go_on] {
      return std::make_unique<ScriptSource>(script, keyed, go_on);
    };
    return add(std::move(name), make, {1, {keyed}, true});
  }
  std::uint32_t sink(std::string name, Rows& rows, bool marks = false) {
    return add(std::move(name),
               [&rows, marks] { return std::make_unique<NotingSink>(rows, marks); }, {});
  }

  void connect(std::uint32_t from, std::uint32_t to, Way way = {}) {
    JobEdge edge;
    edge.from = from;
    edge.to = to;
    edge.output = way.output;
    edge.input = way.input;
    edge.partitioning = way.partitioning;
    edge.chained = way.chained;
    graph_.edges.push_back(edge);
  }

  JobGraph& graph() { return graph_; }
  // As it can be run.
  const JobGraph& completed() {
    complete_job(graph_, ProcessModules::of_this_process());
    graph_.validate();
    return graph_;
  }
  std::unique_ptr<JobClient> start(Configuration configuration = {}) {
    completed();
    const char* const threads = std::getenv("FRESHET_LOCAL_THREADS");
    if (threads != nullptr && !configuration.find(options::kLocalThreads)) {
      configuration.set(options::kLocalThreads, std::atoi(threads));
    }
    if (const std::uint32_t workers = workers_of_this_process()) {
      return start_over_workers(graph_.to_bytes(), {workers}, configuration);
    }
    return RunningJobs::instance().start(
        std::make_unique<LocalJob>(SystemClock::instance(), graph_.to_bytes(), configuration));
  }
  // A hang is told by the job's state instead of by the test runner.
  JobResult run() {
    const auto client = start();
    if (!client->result().wait_for(60'000)) {
      client->cancel().wait();
      ADD_FAILURE() << "the job did not end";
    }
    return client->result().get();
  }

 private:
  JobGraph graph_;
};

}  // namespace freshet::testing
