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
    return over<F, detail::SumAggregate>("sum", std::move(value),
                                         [](auto& a, const auto& b) { return a + b; });
  }
  template <class F>
  auto min(F value) const {
    return over<F, detail::MinAggregate>("min", std::move(value),
                                         [](auto& a, const auto& b) { return a < b; });
  }
  template <class F>
  auto max(F value) const {
    return over<F, detail::MaxAggregate>("max", std::move(value),
                                         [](auto& a, const auto& b) { return a < b; });
  }
  // f(const Record& so_far, const Record& next) returns a record; views are taken as their owners.
  template <class F>
  auto reduce(F function) const {
    FRESHET_CHECK_TRAVELS(F);
    using R = Owned<T>;
    constexpr bool kCallable = detail::Callable<F, const R&, const R&>;
    static_assert(kCallable,
                  "freshet: reduce(f): f can't be called with two of this stream's records: it "
                  "takes (const Record&, const Record&)");
    if constexpr (kCallable && detail::travels_v<F>) {
      constexpr bool kSame = std::is_same_v<detail::CallResult<F, const R&, const R&>, R>;
      static_assert(kSame,
                    "freshet: reduce(f): f changes the type: it must return a record of the "
                    "stream's own type; map to the other type first");
      if constexpr (kSame) {
        return aggregate<detail::WholeRecord, detail::ReduceAggregate<T, F>>(
            "reduce", {}, {{std::move(function)}});
      } else {
        return up_.chain_end();
      }
    } else {
      return up_.chain_end();
    }
  }

  template <class U = T>
  const KeyedStream& name(const std::string&) const {
    static_assert(kNoOperator<U>,
                  "freshet: name(): a keyed stream is no operator yet and has no name: give the "
                  "name to the aggregate behind key_by");
    return *this;
  }

  KeyedStream(detail::Upstream up, typename StreamOperations<T, Stages...>::Places places,
              KeyFunction key)
      : up_(std::move(up), places), key_(std::move(key)) {}

 private:
  template <class F, template <class> class Aggregate, class Check>
  auto over(const char* kind, F value, Check) const {
    FRESHET_CHECK_TRAVELS(F);
    constexpr bool kCallable = detail::Callable<F, const T&>;
    static_assert(kCallable,
                  "freshet: this aggregate's f can't be called with the stream's records: it takes "
                  "a const Record& and returns the value");
    if constexpr (kCallable && detail::travels_v<F>) {
      using V = detail::CallResult<F, const T&>;
      constexpr bool kFits = requires(V & a, const V& b, Check check) { check(a, b); };
      static_assert(kFits,
                    "freshet: this aggregate's values can't be added or compared: sum needs a + b, "
                    "min and max need a < b");
      return aggregate<F, Aggregate<V>>(kind, std::move(value), {});
    } else {
      return up_.chain_end();
    }
  }

  // One vertex makes key, hash and value, the next one holds the table.
  template <class ValueFunction, class Aggregate>
  auto aggregate(const char* kind, ValueFunction value, Aggregate how) const {
    using KeyBy = detail::KeyByStage<T, KeyFunction, ValueFunction>;
    using Stage = detail::AggregateStage<Key, typename KeyBy::Value, Aggregate>;
    auto keyed = up_.extend("key_by", KeyBy{key_, std::move(value)});
    keyed.end_chain();
    // The key is made where the record is: records of a key keep their order.
    keyed.upstream_of().at().parallelism_of_input = true;
    StreamVertex vertex = detail::make_vertex(kind, Stage{std::move(how), nullptr, true});
    detail::Upstream up = keyed.upstream_of();
    up.automatic = false;
    up.partitioning = Partitioning::kHash;
    vertex.inputs.push_back(up.edge(record_type<typename KeyBy::Out>()));
    FRESHET_CHECK_RECORD(typename Stage::Out);
    const std::uint32_t place = up.graph().add(std::move(vertex));
    return DataStream<typename Stage::Out, Stage>(keyed.upstream(place), {{place}});
  }

  DataStream<T, Stages...> up_;
  KeyFunction key_;
};

}  // namespace freshet
