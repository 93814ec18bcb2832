// The stages that kernels are made of.
//
// A stage is a class with
//   using In, Out;                 void: a source has no In, a sink no Out
//   static constexpr bool kOneToOne;   every record in is one record out
//   void write(PayloadWriter&) const;  static Stage read(PayloadReader&);
//   process(value, timestamp, next)    calls next(value, timestamp) for each record out
//   Progress run(records, next)        instead of process(), for a source
// and, where it needs them,
//   open(RuntimeContext&)  close()  commit()  end_of_input(next)  on_watermark(timestamp, next)
//   prepare_commit()  commit_prepared(bytes)  abort_prepared(bytes)    as Operator has them
//   std::int64_t take_watermark()      a source or assigner of event time: kNoTimestamp if none
//   flush()                        after each batch
//   snapshot(ByteWriter&)  restore(ByteReader&)  prefetch(const In&)
//   static constexpr bool kAssignsTimestamps, kStopsWatermarks, kInPlace
//   static constexpr bool kAtMostOne       a record in is at most one record out
//   static constexpr bool kPassesRows      what comes out is what came in, but for its timestamp
//
// A stage that is trivially copyable and has neither open nor close is copied into locals for the
// length of a call (captures stay in registers) and written back; all others are used in place.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

#include "freshet/api.h"

namespace freshet {

class RuntimeContext;

namespace detail {

template <class S>
inline constexpr bool has_open_v = requires(S& s, RuntimeContext& c) {
  s.open(c);
};
template <class S>
inline constexpr bool has_close_v = requires(S& s) {
  s.close();
};
template <class S>
inline constexpr bool has_commit_v = requires(S& s) {
  s.commit();
};
template <class S>
inline constexpr bool assigns_timestamps_v = requires {
  requires S::kAssignsTimestamps;
};
template <class S>
inline constexpr bool stops_watermarks_v = requires {
  requires S::kStopsWatermarks;
};
template <class S>
inline constexpr bool works_in_place_v = requires {
  requires S::kInPlace;
};
template <class S>
inline constexpr bool at_most_one_v = S::kOneToOne || requires {
  requires S::kAtMostOne;
};
template <class S>
inline constexpr bool passes_rows_v = requires {
  requires S::kPassesRows;
};
template <class S>
inline constexpr bool works_on_copy_v =
    std::is_trivially_copyable_v<S> && !has_open_v<S> && !has_close_v<S> && !works_in_place_v<S>;
template <class S>
struct LocalOf {
  using type = std::conditional_t<works_on_copy_v<S>, S, S&>;
};
template <class S>
requires requires { typename S::Local; }
struct LocalOf<S> {
  using type = typename S::Local;
};
template <class S>
using Local = typename LocalOf<S>::type;

// Closures with captures have no operator=.
template <class S>
FRESHET_INLINE inline void write_back_local(S& stage, const Local<S>& local) {
  if constexpr (works_on_copy_v<S> && !std::is_empty_v<S>) {
    ::new (static_cast<void*>(&stage)) S(local);
  }
}

}  // namespace detail
}  // namespace freshet
