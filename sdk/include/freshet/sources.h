// The sources that come with the SDK. All are header stages: they fuse with the chain behind them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "freshet/stages/source.h"

namespace freshet {

// A part of a sequence of numbers: `count` of them from `first` on, `step` apart.
struct SequenceSplit {
  std::uint64_t first;
  std::uint64_t count;
  std::uint64_t step;
};

namespace detail {

// Records made from numbers 0, 1, 2, ... `rate` a second over all subtasks, 0 for as fast as can
// be. Subtask i makes the numbers i, i + parallelism, ...: no subtask runs ahead in event time.
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
        const double due = static_cast<double>(context->now() - started) * 1e-9 * rate + 1;
        const std::uint64_t may = static_cast<std::uint64_t>(due) - made;
        if (may == 0 && left) {
          return ReadStatus::waiting_until(
              started + static_cast<std::int64_t>(static_cast<double>(made) / rate * 1e9) + 1);
        }
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
      at = end;
      made += n;
      if (left != UINT64_MAX) left -= n;
      return left == 0 ? ReadStatus::split_done() : ReadStatus::more();
    }
  };
  Reader reader(RuntimeContext& context) const {
    return {function, rate / context.parallelism(), &context};
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
