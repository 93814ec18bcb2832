// What a stage that runs alone can do without copying rows.
#pragma once

#include <cstdint>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

#include "freshet/detail/stage_traits.h"
#include "freshet/plugin/batch.h"
#include "freshet/plugin/record_type.h"

namespace freshet::detail {

// One row in is at most one row of the same type out: where nobody else reads the batch, the stage
// works on its rows where they lie.
template <class S>
constexpr bool find_edits_rows() {
  using In = typename S::In;
  if constexpr (!std::is_same_v<In, typename S::Out> || std::is_void_v<In>) {
    return false;
  } else {
    return passes_rows_v<S> || (at_most_one_v<S> && std::is_trivially_copyable_v<In> &&
                                !Rows<In>::kCountsExtra && !requires(S & s) { s.flush(); });
  }
}
template <class S>
inline constexpr bool edits_rows_v = find_edits_rows<S>();

// `failed(record)`, in a catch block, does not return; records count from 1.
template <class S, class Failed>
FRESHET_INLINE inline void edit_rows(S& stage, Batch& batch, Failed&& failed) {
  using Row = typename S::In;
  constexpr bool kWorks = !passes_rows_v<S> || assigns_timestamps_v<S>;
  if constexpr (kWorks) {
    Row* const rows = batch.template rows<Row>();
    const std::int64_t* const timestamps = batch.timestamps();
    std::int64_t* const column = batch.timestamp_column();
    const std::uint32_t count = batch.size();
    Local<S> local = stage;
    std::uint32_t kept = 0;
    std::uint32_t i = 0;
    try {
      for (; i < count; ++i) {
        auto next = [&](auto&& value, std::int64_t timestamp) FRESHET_INLINE {
          const std::uint32_t to = S::kOneToOne ? i : kept++;
          if constexpr (!passes_rows_v<S>) {
            ::new (static_cast<void*>(rows + to)) Row(static_cast<decltype(value)>(value));
          }
          if constexpr (assigns_timestamps_v<S>) {
            column[to] = timestamp;
          } else if constexpr (!S::kOneToOne) {
            if (timestamps) column[to] = timestamp;
          }
        };
        local.process(std::as_const(rows[i]), timestamps ? timestamps[i] : kNoTimestamp, next);
      }
    } catch (...) {
      failed(i + 1);
    }
    write_back_local(stage, local);
    if constexpr (!S::kOneToOne) batch.set_size(kept);
    if constexpr (assigns_timestamps_v<S>) batch.set_has_timestamps(true);
  }
}

// Shows rows that others read, too, with timestamps of its own.
class ShownRows {
 public:
  template <class S, class Failed>
  FRESHET_INLINE Batch& show(S& stage, Batch& batch, Failed&& failed) {
    const std::uint32_t count = batch.size();
    const std::int64_t* timestamps = batch.timestamps();
    if (!shown_) shown_ = std::make_unique<Batch>(record_type<typename S::Out>(), 0);
    if constexpr (assigns_timestamps_v<S>) {
      if (column_size_ < count) {
        column_ = std::make_unique<std::int64_t[]>(count);
        column_size_ = count;
      }
      Local<S> local = stage;
      const auto* rows = batch.template rows<typename S::In>();
      std::int64_t* const column = column_.get();
      std::uint32_t i = 0;
      try {
        for (; i < count; ++i) {
          auto next = [&](auto&&, std::int64_t t) FRESHET_INLINE { column[i] = t; };
          local.process(rows[i], timestamps ? timestamps[i] : kNoTimestamp, next);
        }
      } catch (...) {
        failed(i + 1);
      }
      write_back_local(stage, local);
      timestamps = column;
    }
    shown_->borrow(batch.raw_rows(), timestamps, count);
    return *shown_;
  }

 private:
  std::unique_ptr<Batch> shown_;
  std::unique_ptr<std::int64_t[]> column_;
  std::uint32_t column_size_ = 0;
};

}  // namespace freshet::detail
