// The stages of map, filter, flat_map, union and timestamp assignment.
#pragma once

#include "freshet/functions.h"

namespace freshet::detail {

template <class T, class F>
struct FRESHET_HIDDEN MapStage : FunctionStage<F> {
  using In = T;
  using Out = CallResult<F, const T&>;
  static constexpr bool kOneToOne = true;
  static MapStage read(PayloadReader& from) { return {{read_function<F>(from)}}; }
  template <class V, class Next>
  FRESHET_INLINE void process(V&& value, std::int64_t timestamp, Next& next) {
    next(detail::call(this->function, static_cast<V&&>(value)), timestamp);
  }
};

template <class T, class F>
struct FRESHET_HIDDEN FilterStage : FunctionStage<F> {
  using In = T;
  using Out = T;
  static constexpr bool kOneToOne = false;
  static constexpr bool kAtMostOne = true;
  static FilterStage read(PayloadReader& from) { return {{read_function<F>(from)}}; }
  template <class V, class Next>
  FRESHET_INLINE void process(V&& value, std::int64_t timestamp, Next& next) {
    if (detail::call(this->function, std::as_const(value)))
      next(static_cast<V&&>(value), timestamp);
  }
};

// What an `auto& out` is: its calls end up inside the loop.
template <class O, class Next>
struct InlinedCollector {
  Next& next;
  std::int64_t timestamp;
  FRESHET_INLINE void operator()(O record) { next(static_cast<O&&>(record), timestamp); }
  FRESHET_INLINE void emit(O record) { next(static_cast<O&&>(record), timestamp); }
};

// F takes (const T&, auto& out), with O named at the call, or (const T&, Collector<O>&).
template <class T, class O, class F>
struct FRESHET_HIDDEN FlatMapStage : FunctionStage<F> {
  using In = T;
  using Out = O;
  static constexpr bool kOneToOne = false;
  static FlatMapStage read(PayloadReader& from) { return {{read_function<F>(from)}}; }
  template <class V, class Next>
  FRESHET_INLINE void process(V&& value, std::int64_t timestamp, Next& next) {
    if constexpr (Callable<F, const T&, InlinedCollector<O, Next>&>) {
      InlinedCollector<O, Next> collector{next, timestamp};
      detail::call(this->function, std::as_const(value), collector);
    } else {
      struct Target {
        Next& next;
        std::int64_t timestamp;
      } target{next, timestamp};
      Collector<O> collector(&target, [](void* to, O&& record) {
        auto* t = static_cast<Target*>(to);
        t->next(static_cast<O&&>(record), t->timestamp);
      });
      detail::call(this->function, std::as_const(value), collector);
    }
  }
};

template <class T>
struct FRESHET_HIDDEN IdentityStage {
  using In = T;
  using Out = T;
  static constexpr bool kOneToOne = true;
  static constexpr bool kPassesRows = true;
  void write(PayloadWriter&) const {}
  static IdentityStage read(PayloadReader&) { return {}; }
  template <class V, class Next>
  FRESHET_INLINE void process(V&& value, std::int64_t timestamp, Next& next) {
    next(static_cast<V&&>(value), timestamp);
  }
};

// Timestamps from the records; the watermark follows the highest one by a fixed distance.
template <class T, class F>
struct FRESHET_HIDDEN TimestampStage : FunctionStage<F> {
  using In = T;
  using Out = T;
  static constexpr bool kOneToOne = true;
  static constexpr bool kAssignsTimestamps = true;
  static constexpr bool kStopsWatermarks = true;
  static constexpr bool kPassesRows = true;
  std::int64_t out_of_orderness_ms = 0;
  std::int64_t highest = kNoTimestamp;
  std::int64_t emitted = kNoTimestamp;

  void write(PayloadWriter& to) const {
    write_function(to, this->function);
    to.value(out_of_orderness_ms);
  }
  static TimestampStage read(PayloadReader& from) {
    F function = read_function<F>(from);
    return {{std::move(function)}, from.value<std::int64_t>()};
  }
  template <class V, class Next>
  FRESHET_INLINE void process(V&& value, std::int64_t, Next& next) {
    const std::int64_t timestamp = detail::call(this->function, std::as_const(value));
    highest = timestamp > highest ? timestamp : highest;
    next(static_cast<V&&>(value), timestamp);
  }
  std::int64_t take_watermark() {
    const std::int64_t watermark = watermark_behind(highest, out_of_orderness_ms);
    return watermark > emitted ? emitted = watermark : kNoTimestamp;
  }
  void snapshot(ByteWriter& state) {
    Serde<std::int64_t>::write(state, highest);
    Serde<std::int64_t>::write(state, emitted);
  }
  void restore(ByteReader& state) {
    highest = Serde<std::int64_t>::read(state);
    emitted = Serde<std::int64_t>::read(state);
  }
};

}  // namespace freshet::detail
