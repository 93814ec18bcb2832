// Accumulators: a closed, self-describing set, so that they are merged and read by processes that
// never loaded the user's module.
//
// Threads    add() from the owning task; value() from any thread (a moment old).
// Limits     A job has at most kMostAccumulators of them, each with a name of at most 1 KiB.
//            Those of kind bytes hold at most kMostAccumulatedBytes together, over all subtasks.
//            What is above fails the job, before it commits, with the name of the operator or
//            of the accumulator.
//            Larger results belong into a sink or execute_and_collect().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"

namespace freshet {

inline constexpr std::size_t kMostAccumulators = 10'000;
inline constexpr std::size_t kMostAccumulatedBytes = std::size_t{16} << 20;

enum class AccumulatorKind : std::uint8_t { kCount, kSum, kMin, kMax, kHistogram, kBytes };
FRESHET_API const char* name_of(AccumulatorKind kind);

// A merged or copied value. `count` is how many values were added, whatever the kind.
struct FRESHET_API AccumulatorValue {
  AccumulatorKind kind = AccumulatorKind::kCount;
  std::uint64_t count = 0;
  double number = 0;  // sum, min or max; 0 while count is 0
  // Histogram: buckets[i] counts values in [2^(i-1), 2^i), buckets[0] those below 1.
  std::vector<std::uint64_t> buckets;
  std::vector<std::string> items;

  // Throws InvalidInput if the kinds differ; `name` is for the message.
  void merge(const AccumulatorValue& other, std::string_view name);
  std::string text() const;
};
using AccumulatorValues = std::map<std::string, AccumulatorValue>;

namespace detail {

// What an item of an accumulator of bytes counts beside its own bytes.
inline constexpr std::size_t kAccumulatedItem = 32;
// Of the accumulators of bytes of one process, together.
struct AccumulatedBytes {
  std::atomic<std::size_t> bytes{0};
};

}  // namespace detail

class FRESHET_API Accumulator {
 public:
  explicit Accumulator(AccumulatorKind kind);
  // One of those that share `total`; `name` is for messages.
  Accumulator(AccumulatorKind kind, std::string name,
              std::shared_ptr<detail::AccumulatedBytes> total);
  ~Accumulator();
  Accumulator(const Accumulator&) = delete;
  Accumulator& operator=(const Accumulator&) = delete;

  AccumulatorKind kind() const { return kind_; }
  // count: adds n (a whole number); sum, min, max, histogram: takes the value in.
  void add(double value = 1);
  // bytes: appends an item. Throws InvalidInput above kMostAccumulatedBytes.
  void add_bytes(std::string item);
  AccumulatorValue value() const;

 private:
  struct State;
  AccumulatorKind kind_;
  std::unique_ptr<State> state_;
};

}  // namespace freshet
