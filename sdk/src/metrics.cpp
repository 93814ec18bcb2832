#include "freshet/metrics.h"

#include <algorithm>
#include <cassert>
#include <mutex>

#include "freshet/detail/blocking.h"

namespace freshet {

namespace detail {

class MetricCell {
 public:
  explicit MetricCell(MetricKind kind) { value_.kind = kind; }

  void add(std::int64_t value) {
    const std::lock_guard lock(mutex_);
    value_.min = value_.count ? std::min(value_.min, value) : value;
    value_.max = value_.count ? std::max(value_.max, value) : value;
    value_.value += value;
    ++value_.count;
  }
  void set(std::int64_t value) {
    const std::int64_t now = deadline_clock_ns();
    const std::lock_guard lock(mutex_);
    value_.value = value;
    value_.at_ns = now;
    ++value_.count;
  }
  MetricValue value() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

 private:
  mutable std::mutex mutex_;
  MetricValue value_;
};

std::shared_ptr<MetricCell> make_metric(MetricKind kind) {
  return std::make_shared<MetricCell>(kind);
}
MetricValue value_of(const MetricCell& metric) { return metric.value(); }

}  // namespace detail

void Counter::add(std::int64_t by) { cell_->add(by); }
void Gauge::set(std::int64_t value) { cell_->set(value); }
void Distribution::add(std::int64_t value) { cell_->add(value); }

const char* name_of(MetricKind kind) {
  switch (kind) {
    case MetricKind::kCounter:
      return "counter";
    case MetricKind::kGauge:
      return "gauge";
    case MetricKind::kDistribution:
      return "distribution";
  }
  return "unknown";
}

void MetricValue::merge(const MetricValue& other) {
  assert(kind == other.kind);
  if (other.count == 0) return;
  if (kind == MetricKind::kGauge) {
    if (count == 0 || other.at_ns >= at_ns) {
      value = other.value;
      at_ns = other.at_ns;
    }
  } else {
    min = count ? std::min(min, other.min) : other.min;
    max = count ? std::max(max, other.max) : other.max;
    value += other.value;
  }
  count += other.count;
}

std::string MetricValue::text() const {
  if (kind != MetricKind::kDistribution) return std::to_string(value);
  if (count == 0) return "no values";
  return std::to_string(count) + " values, " + std::to_string(min) + " to " + std::to_string(max) +
         ", sum " + std::to_string(value);
}

}  // namespace freshet
