// A run of stages as one operator: one loop over the records, however many calls of the API it
// stands for. A single vertex is a kernel of one stage.
//
// What a stage is: freshet/detail/stage_traits.h.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "freshet/detail/single_stage.h"
#include "freshet/detail/stage_traits.h"
#include "freshet/payload.h"
#include "freshet/plugin/batch.h"
#include "freshet/plugin/module.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/record_type.h"
#include "freshet/runtime_context.h"

namespace freshet::detail {

template <class... Stages>
class FRESHET_HIDDEN Kernel final : public Operator {
  static constexpr std::size_t kCount = sizeof...(Stages);
  template <std::size_t I>
  using Stage = std::tuple_element_t<I, std::tuple<Stages...>>;
  using In = typename Stage<0>::In;
  using Out = typename Stage<kCount - 1>::Out;
  static constexpr bool kAlone = kCount == 1;
  static constexpr bool kSource = std::is_void_v<In>;
  static constexpr bool kSink = std::is_void_v<Out>;
  static constexpr bool kAtMostOne = (at_most_one_v<Stages> && ...);
  static constexpr bool kAssigns = (assigns_timestamps_v<Stages> || ...);
  // A source that knows how many records it has emitted spares the loop a counter.
  static constexpr bool kSourceCounts = requires { requires Stage<0>::kCountsEmitted; };
  static constexpr std::uint32_t kPrefetchAhead = 16;

  // Counted at run time only behind a stage that drops or adds records.
  template <std::size_t I>
  static constexpr bool counted() {
    if constexpr (I == 0 || (I == 1 && kSourceCounts)) {
      return false;
    } else {
      return !Stage<I - 1>::kOneToOne && (I < kCount || !kSink);
    }
  }

  struct NotAlone {};

  // Locals of one call.
  struct Frame {
    std::tuple<Local<Stages>...> stages;
    std::uint64_t seen[kCount + 1] = {};
    std::uint64_t first = 0;  // records that stage 0 has taken; of a source: emitted before
    std::uint32_t at = 0;     // the stage whose code runs
  };
  // The open output batch, as locals: where the next row goes, and its timestamp, if it has one.
  struct Cursor {
    Out* at;
    Out* end;
    std::int64_t* column;
  };
  static constexpr bool kNeverTimestamps = kSource && !kAssigns;

 public:
  static constexpr std::uint32_t kStages = kCount;

  explicit Kernel(PayloadReader* payloads) : Kernel(payloads, std::make_index_sequence<kCount>{}) {}

  static std::unique_ptr<Operator> make(PayloadReader* payloads, std::size_t count) {
    check_payload_count(kCount, count);
    return std::make_unique<Kernel>(payloads);
  }
  static constexpr RecordTypeGetter reads() {
    if constexpr (kSource) {
      return nullptr;
    } else {
      return &record_type<In>;
    }
  }
  static constexpr RecordTypeGetter writes() {
    if constexpr (kSink) {
      return nullptr;
    } else {
      return &record_type<Out>;
    }
  }
  static constexpr auto coordinator_maker() {
    std::unique_ptr<Coordinator> (*maker)(PayloadReader&) = nullptr;
    if constexpr (requires(PayloadReader & p) { Stage<0>::make_coordinator(p); }) {
      maker = &Stage<0>::make_coordinator;
    }
    return maker;
  }

  void open(OperatorContext& context) override {
    for (std::uint32_t i = 0; i < kCount; ++i) metrics_[i] = &context.metrics(i);
    each_stage([&]<std::size_t I>(auto& stage) {
      begun_ = I + 1;
      if constexpr (has_open_v<Stage<I>>) guarded(I, [&] { stage.open(context.stage(I)); });
    });
    if constexpr (!kSink) {
      output_ = &context.output(0);
      batch_ = &output_->open(record_type<Out>());
    }
  }

  Progress run(std::uint32_t records) override {
    if constexpr (kSource) {
      Progress progress{};
      in_frame(kAssigns, [&](Frame& frame, auto& tail, Cursor&) FRESHET_INLINE {
        auto next = [&](auto&& value, std::int64_t timestamp) FRESHET_INLINE {
          step<1>(frame, static_cast<decltype(value)>(value), timestamp, tail);
          frame.at = 0;
        };
        if constexpr (kSourceCounts) frame.first = std::get<0>(frame.stages).emitted();
        progress = std::get<0>(frame.stages).run(records, next);
      });
      pass_generated_watermarks();
      return progress;
    } else {
      return Operator::run(records);
    }
  }

  void process(std::uint32_t, Batch& batch) override {
    if constexpr (!kSource) {
      if (&batch.type() != checked_) [[unlikely]] {
        expect_records(batch.type(), record_type<In>());
        checked_ = &batch.type();
      }
    }
    if constexpr (kAlone && edits_rows_v<Stage<0>>) {
      if (batch.exclusive()) {
        pass_rows<true>(batch);
        return;
      }
    }
    if constexpr (kAlone && passes_rows_v<Stage<0>>) {
      pass_rows<false>(batch);
    } else if constexpr (!kSource) {
      in_frame(kAssigns || batch.timestamps() != nullptr,
               [&](Frame& frame, auto& tail, Cursor& cursor) FRESHET_INLINE {
                 const std::uint32_t count = batch.size();
                 if constexpr (kAtMostOne && !kSink && !Rows<Out>::kCountsExtra) {
                   // As many rows as certainly fit, without a look at the room for each.
                   auto put_row = [&](auto&& value, std::int64_t timestamp) FRESHET_INLINE {
                     put(cursor, static_cast<decltype(value)>(value), timestamp);
                   };
                   for (std::uint32_t begin = 0; begin < count;) {
                     const auto room = static_cast<std::uint32_t>(cursor.end - cursor.at);
                     const std::uint32_t end = count - begin < room ? count : begin + room;
                     process_rows(frame, batch, begin, end, put_row);
                     begin = end;
                     if (cursor.at == cursor.end) cursor = replace_batch(cursor);
                   }
                 } else {
                   process_rows(frame, batch, 0, count, tail);
                 }
               });
      pass_generated_watermarks();
    }
  }

  void watermark(std::int64_t timestamp) override { pass_watermark<0>(timestamp); }

  // Stage by stage: event time ends, then the input; what a stage lets go still passes the next.
  void end_of_input(std::uint32_t) override {
    each_index([&]<std::size_t I>() {
      watermark_to_stage<I>(kMaxWatermark);
      if constexpr (requires(Stage<I> & s) { s.end_of_input([](auto&&, std::int64_t) {}); }) {
        from_stage<I>([&](auto& stage, auto& next) { stage.end_of_input(next); });
      }
    });
  }

  std::optional<std::string> prepare_commit(std::uint32_t index) override {
    std::optional<std::string> committable;
    each_stage([&]<std::size_t I>(auto& stage) {
      if constexpr (requires { stage.prepare_commit(); }) {
        if (I == index) guarded(I, [&] { committable = stage.prepare_commit(); });
      }
    });
    return committable;
  }
  std::string commit_prepared(std::uint32_t index, std::string_view committable) override {
    std::optional<std::string> visible;
    each_stage([&]<std::size_t I>(auto& stage) {
      if constexpr (requires { stage.commit_prepared(committable); }) {
        if (I == index) visible = stage.commit_prepared(committable);
      }
    });
    return visible ? *std::move(visible) : Operator::commit_prepared(index, committable);
  }
  void abort_prepared(std::uint32_t index, std::string_view committable) override {
    each_stage([&]<std::size_t I>(auto& stage) {
      if constexpr (requires { stage.abort_prepared(committable); }) {
        if (I == index) stage.abort_prepared(committable);
      }
    });
  }
  void commit() override {
    each_stage([&]<std::size_t I>(auto& stage) {
      if constexpr (has_commit_v<std::remove_reference_t<decltype(stage)>>) {
        guarded(I, [&] { stage.commit(); });
      }
    });
  }
  bool commits() const override { return (has_commit_v<Stages> || ...); }

  void snapshot(std::uint32_t index, ByteWriter& state) override {
    each_stage([&]<std::size_t I>(auto& stage) {
      if constexpr (requires { stage.snapshot(state); }) {
        if (I == index) stage.snapshot(state);
      }
    });
  }
  void restore(std::uint32_t index, ByteReader& state) override {
    each_stage([&]<std::size_t I>(auto& stage) {
      if constexpr (requires { stage.restore(state); }) {
        if (I == index) stage.restore(state);
      }
    });
  }

  // Each stage whose open() has been called, also if the one before it throws.
  void close() override {
    std::exception_ptr first;
    each_stage([&]<std::size_t I>(auto& stage) {
      if constexpr (has_close_v<Stage<I>>) {
        if (I >= begun_) return;
        try {
          guarded(I, [&] { stage.close(); });
        } catch (...) {
          if (!first) first = std::current_exception();
        }
      }
    });
    if (first) std::rethrow_exception(first);
  }

  const RecordType* input_type(std::uint32_t) const override {
    if constexpr (kSource) {
      return nullptr;
    } else {
      return &record_type<In>();
    }
  }

 private:
  template <std::size_t... I>
  Kernel(PayloadReader* payloads, std::index_sequence<I...>)
      : stages_{Stages::read(payloads[I])...} {
    (payloads[I].expect_end(), ...);
  }

  template <class Tail>
  FRESHET_INLINE inline void process_rows(Frame& frame, Batch& batch, std::uint32_t begin,
                                          std::uint32_t end, Tail& tail) {
    In* rows = batch.template rows<In>();
    const std::int64_t* timestamps = batch.timestamps();
    for (std::uint32_t i = begin; i < end; ++i) {
      if constexpr (requires(Stage<0> & s) { s.prefetch(rows[i]); }) {
        if (i + kPrefetchAhead < end) {
          std::get<0>(frame.stages).prefetch(rows[i + kPrefetchAhead]);
        }
      }
      frame.first = i + 1;
      step<0>(frame, std::as_const(rows[i]), timestamps ? timestamps[i] : kNoTimestamp, tail);
    }
  }

  template <class F>
  void each_index(F&& f) {
    [&]<std::size_t... I>(std::index_sequence<I...>) { (f.template operator()<I>(), ...); }
    (std::make_index_sequence<kCount>{});
  }
  template <class F>
  void each_stage(F&& f) {
    each_index([&]<std::size_t I>() { f.template operator()<I>(std::get<I>(stages_)); });
  }
  template <class F>
  static void guarded(std::uint32_t stage, F&& f) {
    try {
      f();
    } catch (...) {
      rethrow_as_stage_failure(stage, 0);
    }
  }

  template <std::size_t I, class V, class Tail>
  FRESHET_INLINE static inline void step(Frame& frame, V&& value, std::int64_t timestamp,
                                         Tail& tail) {
    if constexpr (counted<I>()) ++frame.seen[I];
    if constexpr (I == kCount) {
      tail(static_cast<V&&>(value), timestamp);
    } else {
      frame.at = I;
      auto next = [&](auto&& out, std::int64_t t) FRESHET_INLINE {
        step<I + 1>(frame, static_cast<decltype(out)>(out), t, tail);
        frame.at = I;
      };
      std::get<I>(frame.stages).process(static_cast<V&&>(value), timestamp, next);
    }
  }

  // Records that entered stage I (I == kCount: that left the last one) in this call.
  template <std::size_t I>
  static std::uint64_t entered(const Frame& frame) {
    if constexpr (I == 0) {
      return kSource ? 0 : frame.first;
    } else if constexpr (I == 1 && kSourceCounts) {
      return std::get<0>(frame.stages).emitted() - frame.first;
    } else if constexpr (counted<I>()) {
      return frame.seen[I];
    } else if constexpr (I == kCount && kSink) {
      return 0;
    } else {
      return entered<I - 1>(frame);
    }
  }

  // Runs `body(frame, tail)` on local copies, writes them back, sends what came out, and names the
  // stage and record of an exception.
  template <class Body>
  void in_frame(bool timestamps, Body&& body) {
    Frame frame = make_frame(std::make_index_sequence<kCount>{});
    [[maybe_unused]] Cursor cursor{};
    if constexpr (!kSink) {
      if (timestamps != with_timestamps_) change_timestamps(timestamps);
      cursor = cursor_of_batch();
    }
    try {
      if constexpr (kSink) {
        auto tail = [](auto&&, std::int64_t) {};
        body(frame, tail, cursor);
      } else {
        auto tail = [&](auto&& value, std::int64_t timestamp) FRESHET_INLINE {
          put(cursor, static_cast<decltype(value)>(value), timestamp);
          bool full = cursor.at == cursor.end;
          if constexpr (Rows<Out>::kCountsExtra) {
            full = full || batch_->is_heavy();
          }
          if (full) [[unlikely]]
            cursor = replace_batch(cursor);
        };
        body(frame, tail, cursor);
        leave_batch(cursor);
      }
    } catch (...) {
      if constexpr (!kSink) batch_->set_size(size_at(cursor));
      // By value: a frame whose address got out would be kept in memory by the loop.
      fail(frame.at, record_counts(frame, std::make_index_sequence<kCount>{}));
    }
    write_back(frame, std::make_index_sequence<kCount>{});
    count(frame);
    each_stage([&]<std::size_t I>(auto& stage) {
      if constexpr (requires { stage.flush(); }) guarded(I, [&] { stage.flush(); });
    });
  }

  template <std::size_t... I>
  FRESHET_INLINE inline Frame make_frame(std::index_sequence<I...>) {
    return Frame{std::tuple<Local<Stages>...>(std::get<I>(stages_)...), {}, 0, 0};
  }
  template <std::size_t... I>
  FRESHET_INLINE inline void write_back(Frame& frame, std::index_sequence<I...>) {
    (write_back_local(std::get<I>(stages_), std::get<I>(frame.stages)), ...);
  }

  void count(const Frame& frame) {
    each_index(
        [&]<std::size_t I>() { metrics_[I]->add(entered<I>(frame), entered<I + 1>(frame)); });
  }
  // By stage: the record that it was at work on, counted in this call.
  struct Counts {
    std::uint64_t record[kCount];
  };
  template <std::size_t... I>
  FRESHET_INLINE static inline Counts record_counts(const Frame& frame, std::index_sequence<I...>) {
    Counts counts{{entered<I>(frame)...}};
    // A source that counts has counted the record that it failed to make.
    if constexpr (kSource) counts.record[0] = entered<1>(frame) + !kSourceCounts;
    return counts;
  }
  [[noreturn, gnu::noinline, gnu::cold]] void fail(std::uint32_t stage, Counts counts) {
    const StageMetrics& before = *metrics_[stage];
    const auto& counter = stage == 0 && kSource ? before.records_out : before.records_in;
    rethrow_as_stage_failure(stage, counter.load(std::memory_order_relaxed) + counts.record[stage]);
  }

  // Hands the rows on where they lie.
  template <bool kExclusive>
  void pass_rows(Batch& batch) {
    const std::uint32_t count = batch.size();
    auto failed = [this](std::uint32_t record) { fail(0, {{record}}); };
    Stage<0>& stage = std::get<0>(stages_);
    if constexpr (kExclusive) {
      edit_rows(stage, batch, failed);
      metrics_[0]->add(count, batch.size());
      if (!batch.empty()) output_->deliver(batch);
    } else {
      Batch& shown = shown_.show(stage, batch, failed);
      metrics_[0]->add(count, count);
      output_->deliver(shown);
      shown.clear();
    }
    pass_generated_watermarks();
  }

  // ---- the open output batch --------------------------------------------------------------
  FRESHET_INLINE inline Cursor cursor_of_batch() {
    Out* const rows = batch_->template rows<Out>();
    const std::uint32_t size = batch_->size();
    return {rows + size, rows + batch_->capacity(),
            with_timestamps_ ? batch_->timestamp_column() + size : nullptr};
  }
  std::uint32_t size_at(const Cursor& cursor) const {
    return static_cast<std::uint32_t>(cursor.at - batch_->template rows<Out>());
  }
  template <class V>
  FRESHET_INLINE inline void put(Cursor& cursor, V&& value, std::int64_t timestamp) {
    if constexpr (Rows<Out>::kCountsExtra) {
      Rows<Out>::construct(*batch_, cursor.at, static_cast<V&&>(value));
    } else {
      ::new (static_cast<void*>(cursor.at)) Out(static_cast<V&&>(value));
    }
    ++cursor.at;
    if constexpr (!kNeverTimestamps) {
      if (cursor.column) *cursor.column++ = timestamp;
    }
  }
  [[gnu::noinline]] Cursor replace_batch(Cursor cursor) {
    batch_->set_size(size_at(cursor));
    batch_->set_has_timestamps(with_timestamps_);
    batch_ = &output_->send(*batch_, true);
    return cursor_of_batch();
  }
  void leave_batch(Cursor cursor) {
    batch_->set_size(size_at(cursor));
    if (batch_->empty()) return;
    batch_->set_has_timestamps(with_timestamps_);
    batch_ = &output_->send(*batch_, false);
  }
  [[gnu::noinline]] void change_timestamps(bool yes) {
    if (!batch_->empty()) batch_ = &output_->send(*batch_, true);
    with_timestamps_ = yes;
  }

  // Calls one stage outside the loop; what it emits goes through those behind it.
  template <std::size_t I, class Call>
  void from_stage(Call&& call_stage) {
    in_frame(with_timestamps_ || kAssigns, [&](Frame& frame, auto& tail, Cursor&) {
      if constexpr (kSourceCounts) frame.first = std::get<0>(frame.stages).emitted();
      frame.at = I;
      auto next = [&](auto&& value, std::int64_t timestamp) FRESHET_INLINE {
        step<I + 1>(frame, static_cast<decltype(value)>(value), timestamp, tail);
        frame.at = I;
      };
      call_stage(std::get<I>(frame.stages), next);
    });
  }

  // ---- watermarks -------------------------------------------------------------------------
  template <std::size_t I>
  void pass_watermark(std::int64_t timestamp) {
    if constexpr (I == kCount) {
      if constexpr (!kSink) output_->watermark(timestamp);
    } else {
      if constexpr (stops_watermarks_v<Stage<I>>) return;  // an assigner makes its own
      watermark_to_stage<I>(timestamp);
      pass_watermark<I + 1>(timestamp);
    }
  }
  template <std::size_t I>
  void watermark_to_stage(std::int64_t timestamp) {
    if constexpr (requires(Stage<I> & s) {
                    s.on_watermark(timestamp, [](auto&&, std::int64_t) {});
                  }) {
      from_stage<I>([&](auto& stage, auto& next) { stage.on_watermark(timestamp, next); });
    }
  }
  void pass_generated_watermarks() {
    each_index([&]<std::size_t I>() {
      if constexpr (requires(Stage<I> & s) { s.take_watermark(); }) {
        const std::int64_t timestamp = std::get<I>(stages_).take_watermark();
        if (timestamp != kNoTimestamp) pass_watermark<I + 1>(timestamp);
      }
    });
  }

  std::tuple<Stages...> stages_;
  std::size_t begun_ = 0;  // stages whose open() has been called
  StageMetrics* metrics_[kCount] = {};
  const RecordType* checked_ = nullptr;  // rows of this type have been seen to be ours
  Output* output_ = nullptr;
  Batch* batch_ = nullptr;
  bool with_timestamps_ = false;
  [[no_unique_address]] std::conditional_t<kAlone, ShownRows, NotAlone> shown_;
};

}  // namespace freshet::detail
