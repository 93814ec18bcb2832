#include "clock/clock.h"

#include <cassert>
#include <ctime>

namespace freshet::core {
namespace {

std::int64_t read_ns(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

}  // namespace

Clock::~Clock() = default;

const SystemClock& SystemClock::instance() {
  static const SystemClock clock;
  return clock;
}
std::int64_t SystemClock::now_ns() const { return read_ns(CLOCK_MONOTONIC); }
std::int64_t SystemClock::wall_ms() const { return read_ns(CLOCK_REALTIME) / 1'000'000; }

ManualClock::ManualClock(std::int64_t now_ns, std::int64_t wall_ms)
    : wall_start_ms_(wall_ms), start_ns_(now_ns), now_ns_(now_ns), wall_ms_(wall_ms) {}
ManualClock::~ManualClock() = default;

void ManualClock::advance_ns(std::int64_t by) {
  assert(by >= 0);
  const std::int64_t now = now_ns_.fetch_add(by, std::memory_order_acq_rel) + by;
  wall_ms_.store(wall_start_ms_ + (now - start_ns_) / 1'000'000, std::memory_order_release);
}

}  // namespace freshet::core
