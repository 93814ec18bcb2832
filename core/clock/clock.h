// Time, brought in from outside: tests pass a ManualClock and never sleep.
#pragma once

#include <atomic>
#include <cstdint>

#include "freshet/api.h"

namespace freshet::core {

// Every call from any thread.
class FRESHET_API Clock {
 public:
  virtual ~Clock();
  // Nanoseconds that only grow, from a start of no meaning.
  virtual std::int64_t now_ns() const = 0;
  // Milliseconds since the epoch; may jump.
  virtual std::int64_t wall_ms() const = 0;
};

// CLOCK_MONOTONIC and CLOCK_REALTIME.
class FRESHET_API SystemClock final : public Clock {
 public:
  static const SystemClock& instance();
  std::int64_t now_ns() const override;
  std::int64_t wall_ms() const override;
};

// Stands still until it is told to move.
class FRESHET_API ManualClock final : public Clock {
 public:
  explicit ManualClock(std::int64_t now_ns = 0, std::int64_t wall_ms = 0);
  ~ManualClock() override;
  std::int64_t now_ns() const override { return now_ns_.load(std::memory_order_acquire); }
  std::int64_t wall_ms() const override { return wall_ms_.load(std::memory_order_acquire); }
  // Both clocks go forward; whole milliseconds of the sum show in wall_ms().
  void advance_ns(std::int64_t by);

 private:
  const std::int64_t wall_start_ms_;
  const std::int64_t start_ns_;
  std::atomic<std::int64_t> now_ns_;
  std::atomic<std::int64_t> wall_ms_;
};

}  // namespace freshet::core
