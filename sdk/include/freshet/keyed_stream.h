// A stream partitioned by key, and its rolling aggregates. Include freshet/data_stream.h.
//
// Rolling    In streaming mode each record gives the new value of its key; in batch mode (all
//            sources bounded, unless execution.runtime-mode says otherwise) each key gives its last
//            value once, at the end of the input, in no particular order.
#pragma once

#include "freshet/data_stream.h"

namespace freshet {

template <class T, class KeyFunction, class... Stages>
class KeyedStream {
  template <class U>
  static constexpr bool kNoOperator = false;

 public:
  using Record = T;
  using Key = detail::CallResult<KeyFunction, const T&>;

  // How many records of each key: (key, count).
  auto count() const {
    return aggregate<detail::OnlyTheKey, detail::CountAggregate<NoValue>>("count", {}, {});
  }
  // The sum, least or greatest of f(record) by key: (key, value).
  template <class F>
  auto sum(F value) const {
    return over<F, detail::SumAggregate>("sum", std::move(value));
  }
  template <class F>
  auto min(F value) const {
    return over<F, detail::MinAggregate>("min", std::move(value));
  }
  template <class F>
  auto max(F value) const {
    return over<F, detail::MaxAggregate>("max", std::move(value));
  }
  // f(const Record& so_far, const Record& next) returns a record; views are taken as their owners.
  template <class F>
  auto reduce(F function) const {
    static_assert(detail::require_travels<F>());
    using R = Owned<T>;
    static_assert(detail::require_state<R>());
    constexpr bool kCallable = detail::Callable<F, const R&, const R&>;
    static_assert(kCallable,
                  "freshet: reduce(f): f can't be called with two of this stream's records: it "
                  "takes (const Record&, const Record&)");
    if constexpr (kCallable && detail::travels_v<F> && std::is_default_constructible_v<R>) {
      using Result = detail::CallResult<F, const R&, const R&>;
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
        return aggregate<detail::WholeRecord, detail::ReduceAggregate<T, F>>(
            "reduce", {}, {{std::move(function)}});
      } else {
        return detail::AfterMistake();
      }
    } else {
      return detail::AfterMistake();
    }
  }

  // An aggregate comes first; what it makes can be mapped, filtered, printed.
  template <class F>
  const KeyedStream& map(F) const {
    static_assert(kNoOperator<F>,
                  "freshet: map() on a keyed stream: aggregate first (count, sum, "
                  "min, max, reduce), or map before key_by");
    return *this;
  }
  template <class F>
  const KeyedStream& filter(F) const {
    static_assert(kNoOperator<F>,
                  "freshet: filter() on a keyed stream: aggregate first (count, "
                  "sum, min, max, reduce), or filter before key_by");
    return *this;
  }
  template <class U = T>
  const KeyedStream& print() const {
    static_assert(kNoOperator<U>,
                  "freshet: print() on a keyed stream: aggregate first (count, "
                  "sum, min, max, reduce), or print before key_by");
    return *this;
  }
  template <class U = T>
  const KeyedStream& name(const std::string&) const {
    static_assert(kNoOperator<U>,
                  "freshet: name(): a keyed stream is no operator yet and has no name: give the "
                  "name to the aggregate behind key_by");
    return *this;
  }
  template <class U = T>
  const KeyedStream& uid(const std::string&) const {
    static_assert(kNoOperator<U>,
                  "freshet: uid(): a keyed stream is no operator yet and has no uid: give the uid "
                  "to the aggregate behind key_by");
    return *this;
  }
  template <class U = T>
  const KeyedStream& set_parallelism(int) const {
    static_assert(kNoOperator<U>,
                  "freshet: set_parallelism(): a keyed stream is no operator yet and has no "
                  "parallelism: set it on the aggregate behind key_by");
    return *this;
  }

  KeyedStream(detail::Upstream up, typename StreamOperations<T, Stages...>::Places places,
              KeyFunction key)
      : up_(std::move(up), places), key_(std::move(key)) {}

 private:
  template <class F, template <class> class Aggregate>
  auto over(const char* kind, F value) const {
    static_assert(detail::require_travels<F>());
    constexpr bool kCallable = detail::Callable<F, const T&>;
    static_assert(kCallable,
                  "freshet: this aggregate's f can't be called with the stream's records: it takes "
                  "a const Record& and returns the value");
    if constexpr (kCallable && detail::travels_v<F>) {
      using V = detail::CallResult<F, const T&>;
      constexpr bool kFits = Aggregate<V>::kFits;
      static_assert(kFits,
                    "freshet: this aggregate's values can't be added or compared: sum needs a + b, "
                    "min and max need a < b");
      static_assert(detail::require_state<Owned<V>>());
      if constexpr (kFits && std::is_default_constructible_v<Owned<V>>) {
        return aggregate<F, Aggregate<V>>(kind, std::move(value), {});
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
      auto keyed = up_.extend("key_by", KeyBy{key_, std::move(value)});
      keyed.end_chain();
      // The key is made where the record is: records of a key keep their order.
      keyed.upstream_of().at().parallelism_of_input = true;
      StreamVertex vertex = detail::make_vertex(kind, Stage{std::move(how), nullptr, true});
      detail::Upstream up = keyed.upstream_of();
      up.automatic = false;
      up.partitioning = Partitioning::kHash;
      vertex.inputs.push_back(up.edge(record_type<typename KeyBy::Out>()));
      return keyed.template append<Stage>(std::move(vertex));
    } else {
      return detail::AfterMistake();
    }
  }

  DataStream<T, Stages...> up_;
  KeyFunction key_;
};

}  // namespace freshet
