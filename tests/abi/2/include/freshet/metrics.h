// Metrics that user code keeps while a job runs, by name and operator: seen in JobDetails.
//
// A handle is had from RuntimeContext; copies count into the same metric, and each outlives the
// task. One metric per name, operator and subtask; details() shows those of all subtasks as one.
//
// Threads    Any, several at once.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "freshet/api.h"

namespace freshet {

enum class MetricKind : std::uint8_t { kCounter, kGauge, kDistribution };
FRESHET_API const char* name_of(MetricKind kind);

// What a metric stands at, a moment ago.
struct FRESHET_API MetricValue {
  MetricKind kind = MetricKind::kCounter;
  std::uint64_t count = 0;  // how many calls there were
  std::int64_t value = 0;   // counter: the total; gauge: the last; distribution: the sum
  std::int64_t min = 0;     // distribution; 0 while count is 0
  std::int64_t max = 0;
  std::int64_t at_ns = 0;  // gauge: when it was set, by the monotonic clock of its process

  // Counters and distributions add up; of two gauges the one set last stays. The kinds are equal.
  void merge(const MetricValue& other);
  std::string text() const;
};
using MetricValues = std::map<std::string, MetricValue>;

namespace detail {
class MetricCell;
// For those who keep metrics: a new one, and what it stands at.
FRESHET_API std::shared_ptr<MetricCell> make_metric(MetricKind kind);
FRESHET_API MetricValue value_of(const MetricCell& metric);
}  // namespace detail

class FRESHET_API Counter {
 public:
  explicit Counter(std::shared_ptr<detail::MetricCell> cell) : cell_(std::move(cell)) {}
  void add(std::int64_t by = 1);

 private:
  std::shared_ptr<detail::MetricCell> cell_;
};

class FRESHET_API Gauge {
 public:
  explicit Gauge(std::shared_ptr<detail::MetricCell> cell) : cell_(std::move(cell)) {}
  void set(std::int64_t value);

 private:
  std::shared_ptr<detail::MetricCell> cell_;
};

class FRESHET_API Distribution {
 public:
  explicit Distribution(std::shared_ptr<detail::MetricCell> cell) : cell_(std::move(cell)) {}
  void add(std::int64_t value);

 private:
  std::shared_ptr<detail::MetricCell> cell_;
};

}  // namespace freshet
