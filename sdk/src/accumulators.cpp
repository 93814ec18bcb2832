#include "freshet/accumulators.h"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "freshet/error.h"
#include "freshet/text.h"

namespace freshet {

namespace {

constexpr std::size_t kBuckets = 64;

std::size_t bucket_of(double value) {
  if (!(value >= 1)) return 0;
  // INT_MAX for infinity.
  const auto exponent = static_cast<std::size_t>(std::ilogb(value));
  return std::min(exponent + 1, kBuckets - 1);
}

std::string number_text(double value) {
  std::string text;
  append_text(text, value);
  return text;
}

}  // namespace

const char* name_of(AccumulatorKind kind) {
  switch (kind) {
    case AccumulatorKind::kCount:
      return "count";
    case AccumulatorKind::kSum:
      return "sum";
    case AccumulatorKind::kMin:
      return "min";
    case AccumulatorKind::kMax:
      return "max";
    case AccumulatorKind::kHistogram:
      return "histogram";
    case AccumulatorKind::kBytes:
      return "bytes";
  }
  return "unknown";
}

void AccumulatorValue::merge(const AccumulatorValue& other, std::string_view name) {
  if (kind != other.kind) {
    throw InvalidInput("accumulator '" + std::string(name) + "' is used as " + name_of(kind) +
                       " and as " + name_of(other.kind) + ": give one of them another name");
  }
  if (other.count == 0) return;
  const bool was_empty = count == 0;
  if (__builtin_add_overflow(count, other.count, &count)) count = UINT64_MAX;
  switch (kind) {
    case AccumulatorKind::kCount:
      break;
    case AccumulatorKind::kHistogram:
    case AccumulatorKind::kSum:
      number += other.number;
      break;
    case AccumulatorKind::kMin:
      number = was_empty ? other.number : std::min(number, other.number);
      break;
    case AccumulatorKind::kMax:
      number = was_empty ? other.number : std::max(number, other.number);
      break;
    case AccumulatorKind::kBytes:
      break;
  }
  if (buckets.size() < other.buckets.size()) buckets.resize(other.buckets.size());
  for (std::size_t i = 0; i < other.buckets.size(); ++i) buckets[i] += other.buckets[i];
  items.insert(items.end(), other.items.begin(), other.items.end());
}

std::string AccumulatorValue::text() const {
  switch (kind) {
    case AccumulatorKind::kCount:
      return std::to_string(count);
    case AccumulatorKind::kSum:
      return number_text(number);
    case AccumulatorKind::kMin:
    case AccumulatorKind::kMax:
      return count ? number_text(number) : "none";
    case AccumulatorKind::kHistogram:
      return std::to_string(count) + " values, mean " +
             number_text(count ? number / static_cast<double>(count) : 0);
    case AccumulatorKind::kBytes:
      return std::to_string(items.size()) + " items";
  }
  return {};
}

struct Accumulator::State {
  mutable std::mutex mutex;
  AccumulatorValue value;
  std::string name;
  std::shared_ptr<detail::AccumulatedBytes> total;
};

Accumulator::Accumulator(AccumulatorKind kind)
    : Accumulator(kind, "", std::make_shared<detail::AccumulatedBytes>()) {}

Accumulator::Accumulator(AccumulatorKind kind, std::string name,
                         std::shared_ptr<detail::AccumulatedBytes> total)
    : kind_(kind), state_(std::make_unique<State>()) {
  state_->name = std::move(name);
  state_->total = std::move(total);
  state_->value.kind = kind;
  if (kind == AccumulatorKind::kHistogram) state_->value.buckets.resize(kBuckets);
}
Accumulator::~Accumulator() = default;

namespace {

std::uint64_t sum_of(std::uint64_t count, double added, const std::string& name) {
  std::uint64_t sum = 0;
  if (added < 0x1p64 && !__builtin_add_overflow(count, static_cast<std::uint64_t>(added), &sum))
    return sum;
  throw Error("accumulator '" + name + "' has counted " + std::to_string(count) + ", and " +
              number_text(added) +
              " more do not fit into its 64 bits: count less at a time, or use "
              "one of kind kSum");
}

}  // namespace

void Accumulator::add(double added) {
  const std::lock_guard lock(state_->mutex);
  AccumulatorValue& value = state_->value;
  switch (kind_) {
    case AccumulatorKind::kCount:
      if (added >= 1) value.count = sum_of(value.count, added, state_->name);  // and not NaN
      return;
    case AccumulatorKind::kSum:
      value.number += added;
      break;
    case AccumulatorKind::kMin:
      value.number = value.count ? std::min(value.number, added) : added;
      break;
    case AccumulatorKind::kMax:
      value.number = value.count ? std::max(value.number, added) : added;
      break;
    case AccumulatorKind::kHistogram:
      value.number += added;
      ++value.buckets[bucket_of(added)];
      break;
    case AccumulatorKind::kBytes:
      throw InvalidInput("a number was added to an accumulator of bytes: use add_bytes()");
  }
  ++value.count;
}

void Accumulator::add_bytes(std::string item) {
  if (kind_ != AccumulatorKind::kBytes) {
    throw InvalidInput(std::string("bytes were added to an accumulator of kind ") + name_of(kind_) +
                       ": ask for AccumulatorKind::kBytes");
  }
  const std::size_t size = item.size() + detail::kAccumulatedItem;
  std::atomic<std::size_t>& total = state_->total->bytes;
  const std::size_t before = total.fetch_add(size, std::memory_order_relaxed);
  if (before + size > kMostAccumulatedBytes) {
    total.fetch_sub(size, std::memory_order_relaxed);
    throw InvalidInput("an item of " + std::to_string(item.size()) + " bytes for accumulator '" +
                       state_->name + "' is too much: the accumulators of bytes hold " +
                       std::to_string(before) + " bytes, the limit of a job is " +
                       std::to_string(kMostAccumulatedBytes) +
                       ": write it to a sink, or hand it out by execute_and_collect()");
  }
  const std::lock_guard lock(state_->mutex);
  state_->value.items.push_back(std::move(item));
  ++state_->value.count;
}

AccumulatorValue Accumulator::value() const {
  const std::lock_guard lock(state_->mutex);
  return state_->value;
}

}  // namespace freshet
