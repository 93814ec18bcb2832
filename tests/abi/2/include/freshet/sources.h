// The sources that come with the SDK. All are header stages: they fuse with the chain behind them.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "freshet/api.h"
#include "freshet/source.h"

namespace freshet {

// A part of a sequence of numbers: `count` of them from `first` on, `step` apart.
struct SequenceSplit {
  std::uint64_t first;
  std::uint64_t count;
  std::uint64_t step;
};

namespace detail {

// When the records of one subtask are due, at `rate` a second (above 0, finite) from `started` on.
// Whatever the rate, no number leaves its range.
class Pace {
 public:
  Pace(double rate, std::int64_t started) : rate_(rate), started_(started) {}

  // How many are due by now, the `made` ones not counted; the first is due at once.
  std::uint64_t due(std::int64_t now, std::uint64_t made) const {
    constexpr double kBeyond = 18446744073709551616.0;  // 2^64
    const double all = static_cast<double>(now - started_) * 1e-9 * rate_ + 1;
    const std::uint64_t most = all < kBeyond ? static_cast<std::uint64_t>(all) : UINT64_MAX;
    return most > made ? most - made : 0;
  }
  // When the one after the `made` ones is due: later than `now`, INT64_MAX for never.
  std::int64_t next_at(std::int64_t now, std::uint64_t made) const {
    constexpr double kBeyond = 9223372036854775808.0;  // 2^63
    const double at = static_cast<double>(started_) + static_cast<double>(made) / rate_ * 1e9 + 1;
    if (at >= kBeyond) return INT64_MAX;
    const auto rounded = static_cast<std::int64_t>(at);
    return rounded > now ? rounded : now + 1;
  }

 private:
  double rate_;
  std::int64_t started_;
};

// Records made from numbers 0, 1, 2, ... `rate` a second over all subtasks, 0 for as fast as can
// be. Subtask i makes the numbers i, i + parallelism, ...: no subtask runs ahead in event time.
// Each subtask has a copy of the function, which it calls once for each of its numbers: what a
// function changes of itself is there at the next call.
template <class F>
struct GeneratorSource {
  using Record = CallResult<F, std::uint64_t>;
  using Split = SequenceSplit;
  F function;
  std::uint64_t count;  // UINT64_MAX: without end
  double rate;

  bool bounded() const { return count != UINT64_MAX; }
  SplitPerSubtask<Split> enumerator(std::uint32_t parallelism) const {
    std::vector<Split> splits;
    for (std::uint64_t i = 0; i < parallelism; ++i) {
      const std::uint64_t n = !bounded() ? UINT64_MAX : (count + parallelism - 1 - i) / parallelism;
      splits.push_back({i, n, parallelism});
    }
    return SplitPerSubtask<Split>(std::move(splits));
  }
  struct Reader {
    F function;
    double rate;  // of this subtask
    RuntimeContext* context;
    std::uint64_t at = 0;
    std::uint64_t step = 1;
    std::uint64_t left = 0;
    std::uint64_t made = 0;
    std::int64_t started = 0;

    void open(RuntimeContext& runtime) requires opens_v<F> { open_function(function, runtime); }
    void close() requires closes_v<F> { close_function(function); }
    void start(Split split) {
      at = split.first;
      step = split.step;
      left = split.count;
      made = 0;
      started = context->now();
    }
    std::uint64_t emitted() const { return made; }
    template <class Out>
    FRESHET_INLINE ReadStatus read(Out& out, std::uint32_t records) {
      std::uint64_t n = left < records ? left : records;
      if (rate > 0) {
        const Pace pace(rate, started);
        const std::int64_t now = context->now();
        const std::uint64_t may = pace.due(now, made);
        if (may == 0 && left) return ReadStatus::waiting_until(pace.next_at(now, made));
        n = n < may ? n : may;
      }
      // Locals: nothing that out() does is seen to change them.
      constexpr bool kCopies = std::is_trivially_copyable_v<F> && !opens_v<F> && !closes_v<F>;
      std::conditional_t<kCopies, F, F&> f = function;
      const std::uint64_t stride = step;
      const std::uint64_t end = at + n * stride;
      std::uint64_t i = at;
      try {
        for (; i != end; i += stride) out(detail::call(f, i));
      } catch (...) {
        made += (i - at) / stride + 1;
        throw;
      }
      if constexpr (kCopies && !std::is_empty_v<F>) {
        ::new (static_cast<void*>(std::addressof(function))) F(f);
      }
      at = end;
      made += n;
      if (left != UINT64_MAX) left -= n;
      return left == 0 ? ReadStatus::split_done() : ReadStatus::more();
    }
  };
  Reader reader(RuntimeContext& context) const {
    // However small, a rate stays one: 0 is none.
    constexpr double kLeast = std::numeric_limits<double>::denorm_min();
    const double share = rate / context.parallelism();
    return {function, rate > 0 && share < kLeast ? kLeast : share, &context};
  }
  void write_bound(PayloadWriter& to) const {
    write_function(to, function);
    to.value(count);
    to.value(rate);
  }
  static GeneratorSource read_bound(PayloadReader& from) {
    F function = read_function<F>(from);
    const auto count = from.value<std::uint64_t>();
    return {std::move(function), count, from.value<double>()};
  }
};

FRESHET_API void check_sequence(std::int64_t first, std::int64_t last);

// first, first + 1, ..., last; each subtask reads one part of it.
struct SequenceSource {
  using Record = std::int64_t;
  using Split = SequenceSplit;
  std::int64_t first;
  std::int64_t last;

  bool bounded() const { return true; }
  SplitPerSubtask<Split> enumerator(std::uint32_t parallelism) const {
    std::vector<Split> splits;
    const std::uint64_t count =
        last < first ? 0 : static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first) + 1;
    for (std::uint64_t i = 0, begin = 0; i < parallelism; ++i) {
      const std::uint64_t n = count / parallelism + (i < count % parallelism ? 1 : 0);
      splits.push_back({static_cast<std::uint64_t>(first) + begin, n, 1});
      begin += n;
    }
    return SplitPerSubtask<Split>(std::move(splits));
  }
  struct Reader {
    std::uint64_t at = 0;
    std::uint64_t left = 0;
    void start(Split split) {
      at = split.first;
      left = split.count;
    }
    template <class Out>
    FRESHET_INLINE ReadStatus read(Out& out, std::uint32_t records) {
      const std::uint64_t n = left < records ? left : records;
      const std::uint64_t end = at + n;
      for (std::uint64_t i = at; i != end; ++i) out(static_cast<std::int64_t>(i));  // may wrap
      at = end;
      left -= n;
      return left == 0 ? ReadStatus::split_done() : ReadStatus::more();
    }
  };
  Reader reader(RuntimeContext&) const { return {}; }
};

// A list that travels in the plan: for small inputs and tests. Read by one subtask, in order.
template <class T>
struct ElementsSource {
  using Record = T;
  using Split = SequenceSplit;
  std::vector<T> elements;

  bool bounded() const { return true; }
  FixedSplits<Split> enumerator(std::uint32_t) const {
    return FixedSplits<Split>({SequenceSplit{0, elements.size(), 1}});
  }
  struct Reader {
    std::vector<T> elements;
    std::size_t at = 0;
    void start(Split) { at = 0; }
    template <class Out>
    FRESHET_INLINE ReadStatus read(Out& out, std::uint32_t records) {
      const std::size_t end = records < elements.size() - at ? at + records : elements.size();
      const T* element = elements.data();
      for (std::size_t i = at; i < end; ++i) out(element[i]);
      at = end;
      return at == elements.size() ? ReadStatus::split_done() : ReadStatus::more();
    }
  };
  Reader reader(RuntimeContext&) const { return {elements}; }
  void write_bound(PayloadWriter& to) const { to.value(elements); }
  static ElementsSource read_bound(PayloadReader& from) { return {from.value<std::vector<T>>()}; }
};

}  // namespace detail
}  // namespace freshet
