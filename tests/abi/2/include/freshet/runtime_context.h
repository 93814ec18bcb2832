// What a user function can ask its surroundings: open(RuntimeContext&) receives it, and it stays
// valid until close() has returned.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "freshet/accumulators.h"
#include "freshet/api.h"

namespace freshet {

class Batch;
class Configuration;
class Counter;
class Distribution;
class Gauge;
class Output;
struct RecordType;

enum class ExecutionMode : std::uint8_t { kStreaming, kBatch };

// Threads: the task's fiber, unless a call says otherwise.
class FRESHET_API RuntimeContext {
 public:
  virtual ~RuntimeContext();
  virtual const std::string& job_name() const = 0;
  // The same in every attempt to run the job.
  virtual const std::string& job_id() const = 0;
  virtual const std::string& operator_name() const = 0;
  // Stable across runs: the uid, else a hash of the vertex's position.
  virtual const std::string& operator_id() const = 0;
  virtual std::uint32_t subtask_index() const = 0;
  virtual std::uint32_t parallelism() const = 0;
  virtual std::uint32_t max_parallelism() const = 0;
  virtual ExecutionMode mode() const = 0;
  // The job's settings and the user's own (`user.*`). [any thread]
  virtual const Configuration& configuration() const = 0;
  // One per name and job; subtasks are merged in the result. Asking for one name with two kinds
  // throws InvalidInput.
  virtual Accumulator& accumulator(std::string_view name, AccumulatorKind kind) = 0;
  // One per name and operator, seen while the job runs: freshet/metrics.h, which has the classes.
  // Asking for one name as two kinds throws InvalidInput. [any thread]
  virtual Counter counter(std::string_view name) = 0;
  virtual Gauge gauge(std::string_view name) = 0;
  virtual Distribution distribution(std::string_view name) = 0;
  // The next split of this source from its coordinator; waits for it.
  virtual std::optional<std::string> next_split() = 0;
  // Hands serialised rows to whoever collects them; waits while they are too many. The id is the
  // collecting vertex's.
  virtual void send_result(std::string rows) = 0;
  // A side output of this vertex, 1 being the first.
  virtual Output& side_output(std::uint32_t index) = 0;
  // ns of the monotonic clock that timers and rates go by.
  virtual std::int64_t now() const = 0;
};

}  // namespace freshet
