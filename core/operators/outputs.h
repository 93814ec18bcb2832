// Where an operator's records go inside this process: the operators chained behind it, channels to
// other tasks, or several of these.
//
// Threads    The task's fiber. Calls may suspend it and throw Canceled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "exchange/channel.h"
#include "freshet/api.h"
#include "freshet/plugin/batch.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/record_type.h"
#include "operators/chain_position.h"

namespace freshet::core {

class Services;

// Size and number of the rows of a batch.
struct BatchShape {
  std::size_t bytes = 64 * 1024;
  std::uint32_t max_rows = 0;
};

// One consumer edge of an output.
class FRESHET_API OutputEdge {
 public:
  virtual ~OutputEdge() = default;
  // Copies or hands on what `batch` holds; `exclusive` lets it take what the rows own.
  virtual void deliver(Batch& batch, bool exclusive) = 0;
  virtual void watermark(std::int64_t timestamp) = 0;
  // Sends what is held back for fuller batches.
  virtual void flush() {}
  // Gives memory back that it does not need while nothing comes.
  virtual void trim() {}
  // Nothing will follow.
  virtual void end() {}
};

// That records lie in memory as their reader takes them: a string and a string_view have one schema,
// are the same bytes, and not the same rows.
class FRESHET_API RowsCheck {
 public:
  // As people read them: "'parse'", "'a' or 'b'".
  RowsCheck(std::string writer, std::string reader)
      : writer_(std::move(writer)), reader_(std::move(reader)) {}
  // Throws InvalidInput. Looks once at each type that comes.
  void expect(const RecordType& written, const Operator& reader, std::uint32_t input) {
    if (&written != seen_) look(written, reader, input);
  }

 private:
  void look(const RecordType& written, const Operator& reader, std::uint32_t input);

  std::string writer_, reader_;
  const RecordType* seen_ = nullptr;
};

// A call of the next operator of the chain.
class FRESHET_API ChainedEdge final : public OutputEdge {
 public:
  // `position` takes the number of the link while its operator runs, and if it is the first whose
  // operator throws. It outlives the edge.
  ChainedEdge(std::uint32_t link, std::uint32_t input, ChainPosition& position, RowsCheck check)
      : link_(link), input_(input), position_(position), check_(std::move(check)) {}
  void connect(Operator& next) { next_ = &next; }
  // That operator's time goes through them from now on.
  void connect(Services& services) { services_ = &services; }
  void deliver(Batch& batch, bool exclusive) override;
  void watermark(std::int64_t timestamp) override;

 private:
  Operator* next_ = nullptr;
  Services* services_ = nullptr;
  std::uint32_t link_;
  std::uint32_t input_;
  ChainPosition& position_;
  RowsCheck check_;
};

// Rows to the channels of several subtasks (or of one), by key, in turn, at random, or to all.
class FRESHET_API ChannelEdge final : public OutputEdge, private Router {
 public:
  ChannelEdge(Partitioning partitioning, std::vector<Channel*> channels,
              std::uint32_t max_parallelism, std::uint32_t subtask);
  ~ChannelEdge() override;
  void deliver(Batch& batch, bool exclusive) override;
  void watermark(std::int64_t timestamp) override;
  void flush() override;
  void trim() override;
  void end() override;

 private:
  void replace(std::uint32_t target) override;
  void send(std::uint32_t target);
  void append(std::uint32_t target, const Batch& batch, std::uint32_t row, std::uint32_t count);

  Partitioning partitioning_;
  std::vector<Channel*> channels_;
  std::vector<Cursor> cursor_memory_;
  std::vector<std::uint16_t> group_targets_;
  const RecordType* type_ = nullptr;
  std::int64_t pending_watermark_ = kNoTimestamp;
};

// An operator's output: one scratch batch, delivered to each edge.
class FRESHET_API TaskOutput final : public Output {
 public:
  // What is written must be of the schema that the graph declares, if it declares one: what reads
  // it may be in another process. `declared` outlives the output.
  explicit TaskOutput(BatchShape shape, const JobVertex::OutputSchema* declared = nullptr)
      : shape_(shape), declared_(declared) {}
  ~TaskOutput() override;
  void add(OutputEdge& edge) { edges_.push_back(&edge); }

  Batch& open(const RecordType& type) override;
  Batch& send(Batch& batch, bool full) override;
  void deliver(Batch& batch) override;
  void watermark(std::int64_t timestamp) override;
  // No watermark above it goes on; what was held back below it goes on now.
  void set_watermark_limit(std::int64_t limit);

 private:
  void pass_watermark();

  std::vector<OutputEdge*> edges_;
  std::int64_t limit_ = kMaxWatermark;
  std::int64_t wanted_ = kNoTimestamp;
  std::int64_t passed_ = kNoTimestamp;
  void check_schema(const RecordType& type) const;

  BatchShape shape_;
  const JobVertex::OutputSchema* const declared_;
  std::unique_ptr<Batch> scratch_;
};

}  // namespace freshet::core
