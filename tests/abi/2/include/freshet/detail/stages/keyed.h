// The stages around a keyed edge: the key and its hash are made once, before it; the aggregate
// lives behind it.
#pragma once

#include <optional>

#include "freshet/detail/kernel.h"
#include "freshet/detail/state/keyed_table.h"
#include "freshet/functions.h"

namespace freshet::detail {

// What of a record travels to the keyed operator.
struct WholeRecord {
  template <class T>
  const T& operator()(const T& record) const {
    return record;
  }
};
struct OnlyTheKey {
  template <class T>
  NoValue operator()(const T&) const {
    return {};
  }
};

template <class T, class KeyFunction, class ValueFunction>
struct FRESHET_HIDDEN KeyByStage {
  using In = T;
  using Key = CallResult<KeyFunction, const T&>;
  using Value = CallResult<ValueFunction, const T&>;
  using Out = Keyed<Key, Value>;
  static constexpr bool kOneToOne = true;
  KeyFunction key;
  ValueFunction value_of;

  void write(PayloadWriter& to) const {
    write_function(to, key);
    write_function(to, value_of);
  }
  static KeyByStage read(PayloadReader& from) {
    KeyFunction key = read_function<KeyFunction>(from);
    return {std::move(key), read_function<ValueFunction>(from)};
  }
  void open(RuntimeContext& context) requires(opens_v<KeyFunction> || opens_v<ValueFunction>) {
    if constexpr (opens_v<KeyFunction>) open_function(key, context);
    if constexpr (opens_v<ValueFunction>) open_function(value_of, context);
  }
  void close() requires(closes_v<KeyFunction> || closes_v<ValueFunction>) {
    if constexpr (closes_v<KeyFunction>) close_function(key);
    if constexpr (closes_v<ValueFunction>) close_function(value_of);
  }
  template <class V, class Next>
  FRESHET_INLINE void process(V&& record, std::int64_t timestamp, Next& next) {
    Key k = detail::call(key, std::as_const(record));
    const std::uint64_t hash = key_hash(k);
    if constexpr (std::is_same_v<Value, NoValue>) {
      next(Out{hash, std::move(k)}, timestamp);
    } else {
      next(Out{hash, std::move(k), Value(detail::call(value_of, std::as_const(record)))},
           timestamp);
    }
  }
};

// How the rolling aggregates differ: first value, next value, what is emitted.
template <class V>
struct CountAggregate {
  using State = std::int64_t;
  static constexpr bool kEmitsKey = true;
  static constexpr bool kFits = true;
  void write(PayloadWriter&) const {}
  static CountAggregate read(PayloadReader&) { return {}; }
  FRESHET_INLINE static void first(State& state, const V&) { state = 1; }
  FRESHET_INLINE static void next(State& state, const V&) { ++state; }
};
// In a sum of integers, which has 64 bits whatever the width of what is summed.
[[noreturn]] FRESHET_API void fail_sum(std::int64_t sum, std::int64_t value);
[[noreturn]] FRESHET_API void fail_sum(std::uint64_t sum, std::uint64_t value);

template <class V>
struct SumAggregate {
  static constexpr bool kOfIntegers = std::is_integral_v<V>;
  using Integer = std::conditional_t<std::is_signed_v<V>, std::int64_t, std::uint64_t>;
  using State = std::conditional_t<kOfIntegers, Integer, V>;
  static constexpr bool kEmitsKey = true;
  static constexpr bool kFits = !std::is_enum_v<V> && requires(const V& a, const V& b) {
    static_cast<V>(a + b);
  };
  void write(PayloadWriter&) const {}
  static SumAggregate read(PayloadReader&) { return {}; }
  FRESHET_INLINE static void first(State& state, const V& value) { state = value; }
  FRESHET_INLINE static void next(State& state, const V& value) {
    if constexpr (kOfIntegers) {
      State sum = 0;
      if (__builtin_add_overflow(state, value, &sum)) [[unlikely]] {
        fail_sum(state, static_cast<State>(value));
      }
      state = sum;
    } else {
      state = static_cast<State>(state + value);
    }
  }
};
template <class V>
struct MinAggregate {
  using State = Owned<V>;
  static constexpr bool kEmitsKey = true;
  static constexpr bool kFits = requires(const V& a, const V& b) { static_cast<bool>(a < b); };
  void write(PayloadWriter&) const {}
  static MinAggregate read(PayloadReader&) { return {}; }
  FRESHET_INLINE static void first(State& state, const V& value) { state = to_owned(value); }
  FRESHET_INLINE static void next(State& state, const V& value) {
    if (value < state) state = to_owned(value);
  }
};
template <class V>
struct MaxAggregate {
  using State = Owned<V>;
  static constexpr bool kEmitsKey = true;
  static constexpr bool kFits = requires(const V& a, const V& b) { static_cast<bool>(a < b); };
  void write(PayloadWriter&) const {}
  static MaxAggregate read(PayloadReader&) { return {}; }
  FRESHET_INLINE static void first(State& state, const V& value) { state = to_owned(value); }
  FRESHET_INLINE static void next(State& state, const V& value) {
    if (state < value) state = to_owned(value);
  }
};
template <class V, class F>
struct ReduceAggregate : FunctionStage<F> {
  using State = Owned<V>;
  static constexpr bool kEmitsKey = false;
  static ReduceAggregate read(PayloadReader& from) { return {{read_function<F>(from)}}; }
  FRESHET_INLINE static void first(State& state, const V& value) { state = to_owned(value); }
  FRESHET_INLINE void next(State& state, const V& value) {
    if constexpr (is_view_v<V>) {
      state = this->function(std::as_const(state), to_owned(value));
    } else {
      state = this->function(std::as_const(state), value);
    }
  }
};

// Streaming: emits each update. Batch: the last value per key, at the end of the input.
template <class K, class V, class Aggregate>
struct FRESHET_HIDDEN AggregateStage {
  using In = Keyed<K, V>;
  using State = typename Aggregate::State;
  using Out = std::conditional_t<Aggregate::kEmitsKey, std::pair<Owned<K>, State>, State>;
  using Table = KeyedTable<Owned<K>, State>;
  static constexpr bool kOneToOne = false;

  Aggregate aggregate;
  std::unique_ptr<Table> table;
  bool emits_updates = true;

  void open(RuntimeContext& context) {
    emits_updates = context.mode() == ExecutionMode::kStreaming;
    table = std::make_unique<Table>(
        key_groups_of(context.subtask_index(), context.parallelism(), context.max_parallelism()),
        context.max_parallelism());
    if constexpr (has_open_v<Aggregate>) aggregate.open(context);
  }
  void close() requires has_close_v<Aggregate> { aggregate.close(); }
  void write(PayloadWriter& to) const { aggregate.write(to); }
  static AggregateStage read(PayloadReader& from) { return {Aggregate::read(from), nullptr, true}; }

  // In a loop.
  struct Local {
    AggregateStage& stage;
    typename Table::Finder finder;
    bool emits_updates;

    explicit Local(AggregateStage& s)
        : stage(s),
          finder(s.table ? s.table->finder() : typename Table::Finder()),
          emits_updates(s.emits_updates) {}
    FRESHET_INLINE void prefetch(const In& row) const { finder.prefetch(row.hash); }
    template <class Row, class Next>
    FRESHET_INLINE void process(const Row& row, std::int64_t timestamp, Next& next) {
      bool first;
      State& state = stage.table->find_or_insert(finder, row.key, row.hash, first);
      auto update = [&](const V& value) FRESHET_INLINE {
        if (first) [[unlikely]] {
          stage.aggregate.first(state, value);
        } else {
          stage.aggregate.next(state, value);
        }
      };
      if constexpr (std::is_same_v<V, NoValue>) {
        update(NoValue{});
      } else {
        update(row.value);
      }
      if (emits_updates) [[unlikely]]
        next(result(row.key, state), timestamp);
    }
    template <class Next>
    void end_of_input(Next&& next) {
      stage.end_of_input(next);
    }
  };

  template <class Next>
  void end_of_input(Next&& next) {
    if (emits_updates || !table) return;
    table->for_each([&](const auto& key, std::uint64_t, State& state) {
      next(result(key, state), kNoTimestamp);
    });
  }

 private:
  template <class Key>
  static Out result(const Key& key, const State& state) {
    if constexpr (Aggregate::kEmitsKey) {
      return Out(Owned<K>(key), state);
    } else {
      return state;
    }
  }
};

}  // namespace freshet::detail
