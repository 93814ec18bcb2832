// A stream partitioned by key, and its rolling aggregates. Include freshet/data_stream.h.
//
// Rolling    In streaming mode each record gives the new value of its key; in batch mode (all
//            sources bounded, unless execution.runtime-mode says otherwise) each key gives its last
//            value once, at the end of the input, in no particular order.
#pragma once

#include "freshet/data_stream.h"

namespace freshet {

template <class T, class KeyFunction, class... Stages>
class KeyedStream : public detail::KeyedCallsOfFlink {
 public:
  using Record = T;
  using Key = detail::CallResult<KeyFunction, const T&>;

  // How many records of each key: (key, count).
  auto count() const {
    return aggregate<detail::OnlyTheKey, detail::CountAggregate<NoValue>>("count", {}, {});
  }
  // The sum of f(record) by key: (key, sum). Sums of integers are std::int64_t, of unsigned ones
  // std::uint64_t; a sum that does not fit fails the job, with key, sum and summand. What else has
  // a + b keeps its type.
  template <class F, class... Bound>
  auto sum(F value, Bound... bound) const {
    return over<detail::SumAggregate, F, Bound...>("sum", std::move(value), std::move(bound)...);
  }
  // The least or greatest f(record) by key: (key, value).
  template <class F, class... Bound>
  auto min(F value, Bound... bound) const {
    return over<detail::MinAggregate, F, Bound...>("min", std::move(value), std::move(bound)...);
  }
  template <class F, class... Bound>
  auto max(F value, Bound... bound) const {
    return over<detail::MaxAggregate, F, Bound...>("max", std::move(value), std::move(bound)...);
  }
  // f(const Record& so_far, const Record& next) returns a record; views are taken as their owners.
  template <class F, class... Bound>
  auto reduce(F function, Bound... bound) const {
    static_assert(detail::require_travels<F, Bound...>());
    using R = Owned<T>;
    static_assert(detail::require_state<R>());
    constexpr bool kCallable = detail::Callable<F, const R&, const R&, const Bound&...>;
    static_assert(kCallable,
                  "freshet: reduce(f): f can't be called with two of this stream's records: it "
                  "takes (const Record&, const Record&), then the bound values");
    if constexpr (kCallable && detail::all_travel_v<F, Bound...> &&
                  std::is_default_constructible_v<R>) {
      using Result = detail::CallResult<F, const R&, const R&, const Bound&...>;
      constexpr bool kOwns = std::is_same_v<Result, R> || !std::is_same_v<Owned<Result>, R>;
      static_assert(
          kOwns,
          "freshet: reduce(f): f returns a view, which is kept longer than what it views: "
          "return std::string for std::string_view (freshet::Owned<Record> for Record)");
      constexpr bool kSame = std::is_same_v<Owned<Result>, R>;
      static_assert(kSame,
                    "freshet: reduce(f): f changes the type: it must return a record of the "
                    "stream's own type; map to the other type first");
      if constexpr (kOwns && kSame) {
        using Reduce = detail::ReduceAggregate<T, detail::BindResult<F, Bound...>>;
        return aggregate<detail::WholeRecord, Reduce>(
            "reduce", {}, {{detail::bind(std::move(function), std::move(bound)...)}});
      } else {
        return detail::AfterMistake();
      }
    } else {
      return detail::AfterMistake();
    }
  }

  // As DataStream::through_registered(), with the records of a key at one subtask: the operator
  // reads Keyed<Key, Record> rows and may hold keyed state.
  template <class Out, class... Tags>
  ProcessedStream<Out> through_registered(std::string operator_name, std::string payload = {},
                                          const OutputTag<Tags>&... tags) const {
    using KeyBy = detail::KeyByStage<T, KeyFunction, detail::WholeRecord>;
    return to_owner_of_key<KeyBy>({key_, {}})
        .template through_registered<Out>(std::move(operator_name), std::move(payload), tags...);
  }

  KeyedStream(detail::Upstream up, typename StreamOperations<T, Stages...>::Places places,
              KeyFunction key)
      : up_(std::move(up), places), key_(std::move(key)) {}

 private:
  template <template <class> class Aggregate, class F, class... Bound>
  auto over(const char* kind, F value, Bound... bound) const {
    static_assert(detail::require_travels<F, Bound...>());
    constexpr bool kCallable = detail::Callable<F, const T&, const Bound&...>;
    static_assert(kCallable,
                  "freshet: this aggregate's f can't be called with the stream's records: it takes "
                  "a const Record& (then the bound values) and returns the value");
    if constexpr (kCallable && detail::all_travel_v<F, Bound...>) {
      using V = detail::CallResult<F, const T&, const Bound&...>;
      constexpr bool kCounts =
          std::is_same_v<Aggregate<V>, detail::SumAggregate<V>> && std::is_same_v<V, bool>;
      static_assert(!kCounts,
                    "freshet: sum(f): f returns a bool, whose sum is no bool: filter the records "
                    "for which it is true and count() them, or return 1 and 0");
      constexpr bool kFits = Aggregate<V>::kFits;
      static_assert(kFits,
                    "freshet: this aggregate's values can't be added or compared: sum needs a + b, "
                    "min and max need a < b");
      static_assert(detail::require_state<Owned<V>>());
      if constexpr (!kCounts && kFits && std::is_default_constructible_v<Owned<V>>) {
        return aggregate<detail::BindResult<F, Bound...>, Aggregate<V>>(
            kind, detail::bind(std::move(value), std::move(bound)...), {});
      } else {
        return detail::AfterMistake();
      }
    } else {
      return detail::AfterMistake();
    }
  }

  // One vertex makes key, hash and value, the next one holds the table. Where both have one
  // subtask, the chain goes on through them.
  template <class ValueFunction, class Aggregate>
  auto aggregate(const char* kind, ValueFunction value, Aggregate how) const {
    using KeyBy = detail::KeyByStage<T, KeyFunction, ValueFunction>;
    using Stage = detail::AggregateStage<Key, typename KeyBy::Value, Aggregate>;
    static_assert(detail::require_records<typename Stage::Out>());
    if constexpr (detail::are_records_v<typename Stage::Out>) {
      const auto keyed = to_owner_of_key<KeyBy>({key_, std::move(value)});
      StreamVertex vertex = detail::make_vertex(kind, Stage{std::move(how), nullptr, true});
      vertex.inputs.push_back(keyed.upstream_of().edge(record_type<typename KeyBy::Out>()));
      return keyed.template append<Stage>(std::move(vertex));
    } else {
      return detail::AfterMistake();
    }
  }

  // Behind the vertex that makes key, hash and value. The key is made where the record is: records
  // of a key keep their order.
  template <class KeyBy>
  auto to_owner_of_key(KeyBy stage) const {
    auto keyed = up_.extend("key_by", std::move(stage));
    keyed.end_chain();
    keyed.upstream_of().at().parallelism_of_input = true;
    keyed.up_.automatic = false;
    keyed.up_.partitioning = Partitioning::kHash;
    return keyed;
  }

  DataStream<T, Stages...> up_;
  KeyFunction key_;
};

}  // namespace freshet
