// What the tasks of a job ask of the job: splits, a place for collected rows, accumulators.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "clock/clock.h"
#include "freshet/accumulators.h"
#include "freshet/configuration.h"
#include "freshet/runtime_context.h"

namespace freshet::core {

// Threads: task fibers, several at once.
class JobServices {
 public:
  virtual ~JobServices() = default;
  virtual const Clock& clock() const = 0;
  virtual const std::string& job_name() const = 0;
  virtual const std::string& job_id() const = 0;
  virtual ExecutionMode mode() const = 0;
  virtual const Configuration& configuration() const = 0;
  virtual std::optional<std::string> next_split(std::uint32_t vertex, std::uint32_t subtask) = 0;
  // May suspend the fiber; throws Canceled.
  virtual void send_result(std::uint32_t vertex, std::string rows) = 0;
  virtual Accumulator& accumulator(std::uint32_t vertex, std::uint32_t subtask,
                                   std::string_view name, AccumulatorKind kind) = 0;
  // A subtask begins to keep a metric of that name. Throws InvalidInput above kMostMetricBytes.
  // [any thread]
  virtual void count_metric(std::uint32_t vertex, std::string_view name) = 0;
  // [any thread]
  virtual void tell(std::uint32_t vertex, std::uint32_t subtask, std::string text) = 0;
};

}  // namespace freshet::core
