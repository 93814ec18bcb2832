// Streams of records, as a program writes them down.
//
// Each call adds one vertex to the environment's graph and returns the stream behind it; nothing
// runs before execute(). The type also remembers the stages since its chain began, so that the call
// that ends a chain (a sink, key_by, union_with, a conversion to plain DataStream<T>) can register
// one fused kernel for all of it: `auto` keeps a chain in one loop, a parameter or member of type
// DataStream<T> ends it. The results are the same.
//
// Functions  Lambdas, function objects (with open(RuntimeContext&) and close() if they like),
//            pointers to functions and members. They must travel: see payload.h. Values that can't
//            be captured are bound, any number of them, behind the call's other arguments:
//            stream.filter([](const Line& l, const std::string& s) {...}, s).
// State      A function object is copied to each subtask, and what it changes of itself stays there
//            from call to call (a mutable lambda's counter counts); a restart begins again.
// Views      Records may be std::string_view: valid during the call; what is kept takes Owned<T>.
// Errors     A stream of before execute(), or one of another environment in a call that
//            joins streams, is refused: InvalidInput, with the names of the call and of
//            the operators.
// Threads    A graph is built by one thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "freshet/detail/calls_of_flink.h"
#include "freshet/detail/stages/keyed.h"
#include "freshet/detail/stages/process.h"
#include "freshet/detail/stages/transform.h"
#include "freshet/detail/stream_building.h"
#include "freshet/sink.h"

namespace freshet {

template <class T, class... Stages>
class DataStream;
template <class T>
class PartitionedStream;
template <class T, class K, class... Stages>
class KeyedStream;
template <class T>
class ProcessedStream;
template <class T>
class CollectedRecords;

// A sink's vertex.
class FRESHET_API DataStreamSink {
 public:
  explicit DataStreamSink(detail::Upstream up) : up_(std::move(up)) {}
  DataStreamSink& name(std::string name);
  DataStreamSink& uid(std::string uid);
  DataStreamSink& set_parallelism(int parallelism);
  DataStreamSink& set_max_parallelism(int max_parallelism);
  // Says that what the sink's closure holds are numbers, also where they look like addresses.
  DataStreamSink& captures_no_pointers();
  DataStreamSink& disable_chaining();

 private:
  detail::Upstream up_;
};

// The calls that every stream has. `Stages` are those since the chain began.
template <class T, class... Stages>
class StreamOperations : public detail::StreamCallsOfFlink {
 public:
  using Record = T;

  // One record for each record.
  template <class F, class... Bound>
  auto map(F function, Bound... bound) const {
    static_assert(detail::require_travels<F, Bound...>());
    constexpr bool kCallable = detail::Callable<F, const T&, const Bound&...>;
    static_assert(kCallable,
                  "freshet: map(f): f can't be called with this stream's records: it takes a "
                  "const Record& (then the bound values) and returns the new record");
    if constexpr (kCallable && detail::all_travel_v<F, Bound...>) {
      constexpr bool kReturns = !std::is_void_v<detail::CallResult<F, const T&, const Bound&...>>;
      static_assert(kReturns, "freshet: map(f): f returns nothing: it returns the new record");
      if constexpr (kReturns) {
        return extend("map", detail::MapStage<T, detail::BindResult<F, Bound...>>{
                                 {detail::bind(std::move(function), std::move(bound)...)}});
      } else {
        return detail::AfterMistake();
      }
    } else {
      return detail::AfterMistake();
    }
  }

  // The records for which `predicate` is true.
  template <class F, class... Bound>
  auto filter(F predicate, Bound... bound) const {
    static_assert(detail::require_travels<F, Bound...>());
    constexpr bool kCallable = detail::Predicate<F, const T&, const Bound&...>;
    static_assert(kCallable,
                  "freshet: filter(f): f can't be called with this stream's records: it takes a "
                  "const Record& (then the bound values) and returns a bool");
    if constexpr (kCallable && detail::all_travel_v<F, Bound...>) {
      return extend("filter", detail::FilterStage<T, detail::BindResult<F, Bound...>>{
                                  {detail::bind(std::move(predicate), std::move(bound)...)}});
    } else {
      return detail::AfterMistake();
    }
  }

  // Any number of records for each record: f(const Record&, Collector<O>& out), or
  // flat_map<O>([](const Record&, auto& out) {...}), whose calls of out are inlined.
  template <class F, class... Bound>
  auto flat_map(F function, Bound... bound) const {
    static_assert(detail::NamesItsCollector<F>,
                  "freshet: flat_map(f): the result type can't be seen: let f take (const Record&, "
                  "Collector<Result>& out), or write flat_map<Result>(f)");
    if constexpr (detail::NamesItsCollector<F>) {
      return flat_map<detail::CollectorRecord<F>>(std::move(function), std::move(bound)...);
    } else {
      return detail::AfterMistake();
    }
  }
  template <class O, class F, class... Bound>
  requires(!std::is_same_v<O, F>) auto flat_map(F function, Bound... bound) const {
    static_assert(detail::require_travels<F, Bound...>());
    constexpr bool kCallable = detail::Callable<F, const T&, Collector<O>&, const Bound&...>;
    static_assert(kCallable,
                  "freshet: flat_map(f): f can't be called with this stream's records: it takes "
                  "(const Record&, Collector<Result>& out), then the bound values");
    if constexpr (kCallable && detail::all_travel_v<F, Bound...>) {
      return extend("flat_map", detail::FlatMapStage<T, O, detail::BindResult<F, Bound...>>{
                                    {detail::bind(std::move(function), std::move(bound)...)}});
    } else {
      return detail::AfterMistake();
    }
  }

  // f(const Record&, ProcessContext&, Collector<O>& out); records for the side outputs go to
  // context.output(tag, record), and come out of result.side_output(tag). Behind f come the tags
  // and the bound values, in any order. Ends the chain.
  template <class F, class... TagsAndBound>
  auto process(F function, const TagsAndBound&... arguments) const {
    return process_with(std::move(function), std::tuple_cat(detail::tags_among(arguments)...),
                        std::tuple_cat(detail::values_among(arguments)...));
  }

  // An operator that a library has registered under that name (docs/plugin-authors/operators.md),
  // with its timers, state and services, in the middle of a stream; the payload is for its make().
  // It reads this stream's records and writes records Out to output 0 and those of the tags to the
  // outputs behind it, in their order. The library is found when the job is translated; the types
  // are compared then if the operator says its own, and when the first records come. Ends the
  // chain.
  template <class Out, class... Tags>
  ProcessedStream<Out> through_registered(std::string operator_name, std::string payload = {},
                                          const OutputTag<Tags>&... tags) const {
    static_assert(detail::require_records<Out, Tags...>());
    end_chain();
    StreamVertex vertex = detail::registered_vertex(std::move(operator_name), std::move(payload));
    if constexpr (detail::are_records_v<Out, Tags...>) {
      vertex.outputs = {&record_type<Out>(), &record_type<Tags>()...};
    }
    vertex.inputs.push_back(up_.edge(record_type<T>()));
    const std::uint32_t place = up_.graph().add(std::move(vertex));
    return ProcessedStream<Out>(DataStream<Out>(upstream(place), {}),
                                {std::string(tags.name())...});
  }

  // Event time: f(const Record&) gives ms since the epoch, kNoTimestamp for a record that has none;
  // the watermark stays `out_of_orderness_ms` behind the highest timestamp seen, so records may be
  // that late. Throws InvalidInput if that is negative.
  template <class F, class... Bound>
  auto assign_timestamps(F function, std::int64_t out_of_orderness_ms = 0, Bound... bound) const {
    static_assert(detail::require_travels<F, Bound...>());
    constexpr bool kCallable = std::is_invocable_r_v<std::int64_t, F&, const T&, const Bound&...>;
    static_assert(kCallable,
                  "freshet: assign_timestamps(f): f takes a const Record& (then the bound values) "
                  "and returns the timestamp in ms as an integer");
    if constexpr (kCallable && detail::all_travel_v<F, Bound...>) {
      detail::check_out_of_orderness(out_of_orderness_ms);
      return extend("timestamps", detail::TimestampStage<T, detail::BindResult<F, Bound...>>{
                                      {detail::bind(std::move(function), std::move(bound)...)},
                                      out_of_orderness_ms});
    } else {
      return detail::AfterMistake();
    }
  }

  // Records with equal keys go to one subtask. The key is made and hashed once, here; it may be a
  // view. key_by() alone takes the record itself as its key.
  template <class F, class... Bound>
  auto key_by(F key, Bound... bound) const {
    static_assert(detail::require_travels<F, Bound...>());
    constexpr bool kCallable = detail::Callable<F, const T&, const Bound&...>;
    static_assert(kCallable,
                  "freshet: key_by(f): f can't be called with this stream's records: it takes a "
                  "const Record& (then the bound values) and returns the key");
    if constexpr (kCallable && detail::all_travel_v<F, Bound...>) {
      using K = detail::CallResult<F, const T&, const Bound&...>;
      FRESHET_REQUIRE_KEY(K);
      if constexpr (KeyType<K>) {
        static_assert(detail::require_records<K>());
        if constexpr (detail::are_records_v<K>) {
          return KeyedStream<T, detail::BindResult<F, Bound...>, Stages...>(
              up_, places_, detail::bind(std::move(key), std::move(bound)...));
        } else {
          return detail::AfterMistake();
        }
      } else {
        return detail::AfterMistake();
      }
    } else {
      return detail::AfterMistake();
    }
  }
  auto key_by() const { return key_by(detail::WholeRecord{}); }

  // This stream and others of the same records, of the same environment, as one; ends the chain.
  template <class... Others>
  auto union_with(const Others&... others) const {
    if constexpr ((std::is_same_v<Others, detail::AfterMistake> || ...)) {
      return detail::AfterMistake();
    } else {
      constexpr bool kStreams = (!std::is_base_of_v<detail::KeyedCallsOfFlink, Others> && ...);
      static_assert(kStreams,
                    "freshet: union_with(others): a keyed stream can't be joined: join before "
                    "key_by, or what an aggregate behind it makes");
      constexpr bool kSame = (std::is_same_v<T, typename Others::Record> && ...);
      static_assert(!kStreams || kSame,
                    "freshet: union_with(others): all streams must have the same record type: map "
                    "them to one, a std::variant if they differ");
      if constexpr (kStreams && kSame) {
        (detail::require_one_job("union_with()", up_, others.upstream_of()), ...);
        end_chain();
        (others.end_chain(), ...);
        detail::IdentityStage<T> stage;
        StreamVertex vertex = detail::make_vertex("union", stage);
        vertex.inputs.push_back(up_.edge(record_type<T>()));
        (vertex.inputs.push_back(others.up_.edge(record_type<T>())), ...);
        vertex.chains_with_input = false;
        const std::uint32_t place = up_.graph().add(std::move(vertex));
        return DataStream<T, detail::IdentityStage<T>>(upstream(place), {place});
      } else {
        return detail::AfterMistake();
      }
    }
  }

  // How the next operator's subtasks share the records; each ends the chain.
  PartitionedStream<T> forward() const { return partitioned(Partitioning::kForward); }
  PartitionedStream<T> rebalance() const { return partitioned(Partitioning::kRebalance); }
  PartitionedStream<T> rescale() const { return partitioned(Partitioning::kRescale); }
  PartitionedStream<T> shuffle() const { return partitioned(Partitioning::kShuffle); }
  PartitionedStream<T> broadcast() const { return partitioned(Partitioning::kBroadcast); }
  PartitionedStream<T> global() const { return partitioned(Partitioning::kGlobal); }

  // A sink of one's own: see freshet/sink.h.
  template <class S>
  DataStreamSink sink_to(S sink, const char* name = "sink") const {
    static_assert(detail::require_travels<S>());
    static_assert(SinkFunction<S, T>,
                  "freshet: sink_to(s): s has no write(const Record&) for this stream's records");
    if constexpr (SinkFunction<S, T> && detail::travels_v<S>) {
      auto end = extend(name, detail::SinkStage<T, S>{std::move(sink)});
      end.end_chain();
      return DataStreamSink(end.upstream_of());
    } else {
      return DataStreamSink(up_);
    }
  }
  // A sink that a connector or an operator library has registered under that name, see
  // connector.h; the payload is for its make().
  DataStreamSink sink_to_registered(std::string operator_name, std::string payload = {}) const {
    end_chain();
    StreamVertex vertex = detail::registered_vertex(std::move(operator_name), std::move(payload));
    vertex.inputs.push_back(up_.edge(record_type<T>()));
    return DataStreamSink(upstream(up_.graph().add(std::move(vertex))));
  }
  DataStreamSink print() const {
    static_assert(is_text_v<T>,
                  "freshet: print(): this record has no text: define std::string "
                  "to_text(const Record&) in the record's namespace, or map to a string first");
    if constexpr (is_text_v<T>) {
      return sink_to(detail::PrintSink<T>{}, "print");
    } else {
      return DataStreamSink(up_);
    }
  }
  // One file part-N per subtask, renamed into place when complete. A relative path begins at the
  // working folder of main, wherever the tasks run.
  DataStreamSink write_text(std::string folder) const {
    static_assert(is_text_v<T>,
                  "freshet: write_text(): this record has no text: define std::string "
                  "to_text(const Record&) in the record's namespace, or map to a string first");
    if constexpr (is_text_v<T>) {
      return sink_to(detail::TextFileSink<T>{detail::TextPart(std::move(folder))}, "write_text");
    } else {
      return DataStreamSink(up_);
    }
  }
  DataStreamSink discard() const { return sink_to(detail::DiscardSink<T>{}, "discard"); }

  // Runs the job and reads this stream's records as they come. See environment.h.
  CollectedRecords<Owned<T>> execute_and_collect(std::string job_name = {}) const;

  // Registers the chain's kernel. Called by what ends a chain; harmless when called again.
  void end_chain() const {
    if constexpr (sizeof...(Stages) >= 2) detail::note_kernels<Stages...>(up_, places_.at);
  }
  DataStream<T> chain_end() const {
    end_chain();
    return DataStream<T>(up_, {});
  }
  const detail::Upstream& upstream_of() const { return up_; }

 protected:
  template <class, class...>
  friend class StreamOperations;
  template <class, class...>
  friend class DataStream;
  template <class, class, class...>
  friend class KeyedStream;

  struct Places {
    std::uint32_t at[sizeof...(Stages) + 1] = {};
  };

  StreamOperations(detail::Upstream up, Places places) : up_(std::move(up)), places_(places) {}

  detail::Upstream upstream(std::uint32_t place, std::uint32_t output = 0) const {
    return {up_.environment, up_.generation, place, output, true, Partitioning::kForward};
  }
  template <class S>
  auto append(StreamVertex vertex) const {
    const std::uint32_t place = up_.graph().add(std::move(vertex));
    using Next = DataStream<typename S::Out, Stages..., S>;
    typename Next::Places places;
    for (std::size_t i = 0; i < sizeof...(Stages); ++i) places.at[i] = places_.at[i];
    places.at[sizeof...(Stages)] = place;
    return Next(upstream(place), places);
  }
  template <class F, class... Tags, class... Bound>
  auto process_with(F function, const std::tuple<OutputTag<Tags>...>& tags,
                    std::tuple<Bound...> bound) const {
    static_assert(detail::require_travels<F, Bound...>());
    static_assert(detail::NamesItsCollector<F>,
                  "freshet: process(f): the result type can't be seen: let f take (const Record&, "
                  "ProcessContext&, Collector<Result>& out)");
    if constexpr (detail::NamesItsCollector<F> && detail::all_travel_v<F, Bound...>) {
      using O = detail::CollectorRecord<F>;
      constexpr bool kCallable =
          detail::Callable<F, const T&, ProcessContext&, Collector<O>&, const Bound&...>;
      static_assert(kCallable,
                    "freshet: process(f): f can't be called with this stream's records: it takes "
                    "(const Record&, ProcessContext&, Collector<Result>& out), then the bound "
                    "values");
      static_assert(detail::require_records<O, Tags...>());
      if constexpr (kCallable && detail::are_records_v<O, Tags...>) {
        using Stage = detail::ProcessStage<T, O, detail::BindResult<F, Bound...>, Tags...>;
        std::vector<std::string> names = detail::names_of(tags);
        Stage stage{{detail::bind_all(std::move(function), std::move(bound))}, names};
        StreamVertex vertex = detail::make_vertex("process", stage);
        (vertex.outputs.push_back(&record_type<Tags>()), ...);
        vertex.inputs.push_back(up_.edge(record_type<T>()));
        auto stream = append<Stage>(std::move(vertex));
        return ProcessedStream<O>(stream.chain_end(), std::move(names));
      } else {
        return detail::AfterMistake();
      }
    } else {
      return detail::AfterMistake();
    }
  }
  // Of one input. Keyed records are looked at where they are made of key and value.
  template <class S>
  auto extend(const char* kind, S stage) const {
    using O = typename S::Out;
    constexpr bool kIsNoRecord = std::is_void_v<O> || is_keyed_v<O>;
    using Checked = std::conditional_t<kIsNoRecord, bool, O>;
    static_assert(detail::require_records<Checked>());
    if constexpr (detail::are_records_v<Checked>) {
      StreamVertex vertex = detail::make_vertex(kind, stage);
      vertex.inputs.push_back(up_.edge(record_type<T>()));
      return append<S>(std::move(vertex));
    } else {
      return detail::AfterMistake();
    }
  }
  PartitionedStream<T> partitioned(Partitioning partitioning) const {
    end_chain();
    detail::Upstream up = up_;
    up.automatic = false;
    up.partitioning = partitioning;
    return PartitionedStream<T>(std::move(up));
  }

  detail::Upstream up_;
  Places places_;
};

template <class T, class... Stages>
class DataStream : public StreamOperations<T, Stages...> {
  using Base = StreamOperations<T, Stages...>;

 public:
  using typename Base::Places;
  DataStream(detail::Upstream up, Places places) : Base(std::move(up), places) {}
  // A stream given a plain type forgets its stages: fusion ends there, and only there.
  template <class... Others>
  requires(sizeof...(Stages) == 0 && sizeof...(Others) > 0)
      DataStream(const DataStream<T, Others...>& other)  // NOLINT(google-explicit-constructor)
      : DataStream(other.chain_end()) {}

  // These speak of the operator that made this stream.
  DataStream name(std::string name) const {
    this->up_.at().name = std::move(name);
    return *this;
  }
  // Unique in the job; state is found by it when the program has changed.
  DataStream uid(std::string uid) const {
    this->up_.at().uid = std::move(uid);
    return *this;
  }
  DataStream set_parallelism(int parallelism) const {
    detail::set_parallelism(this->up_, parallelism);
    return *this;
  }
  DataStream set_max_parallelism(int max_parallelism) const {
    detail::set_max_parallelism(this->up_, max_parallelism);
    return *this;
  }
  // Says that what the closure holds are numbers, also where they look like addresses.
  DataStream captures_no_pointers() const {
    this->up_.at().captures_no_pointers = true;
    return *this;
  }
  // A task of its own, neither called by what stands before it nor calling what comes after.
  DataStream<T> disable_chaining() const {
    end_before();
    this->up_.at().chains_with_input = false;
    this->up_.at().chains_with_output = false;
    return DataStream<T>(this->up_, {});
  }
  // A task of its own together with what comes after.
  auto start_new_chain() const {
    end_before();
    this->up_.at().chains_with_input = false;
    if constexpr (sizeof...(Stages) == 0) {
      return *this;
    } else {
      using Last = typename detail::WithoutLast<std::tuple<>, Stages...>::LastStage;
      return DataStream<T, Last>(this->up_, {{this->up_.vertex}});
    }
  }

 private:
  void end_before() const {
    if constexpr (sizeof...(Stages) >= 3) {
      detail::Upstream before = this->up_;
      before.vertex = this->places_.at[sizeof...(Stages) - 2];
      detail::WithoutLast<std::tuple<>, Stages...>::note(before, this->places_.at);
    }
  }
};

// A stream whose next edge's partitioning has been chosen. There is no operator here to name.
template <class T>
class PartitionedStream : public StreamOperations<T> {
 public:
  explicit PartitionedStream(detail::Upstream up) : StreamOperations<T>(std::move(up), {}) {}

  FRESHET_NO_CALL(name,
                  "a partitioning is no operator and has no name: give the name to the call before "
                  "it or after it")
  FRESHET_NO_CALL(uid,
                  "a partitioning is no operator and has no uid: give the uid to the call before "
                  "it or after it")
  FRESHET_NO_CALL(set_parallelism,
                  "a partitioning is no operator and has no parallelism: set it on the call before "
                  "it or after it")
  FRESHET_NO_CALL(set_max_parallelism,
                  "a partitioning is no operator and has no parallelism: set it on the call before "
                  "it or after it")
};

// What process() returns: the main output, and the side outputs by their tags.
template <class T>
class ProcessedStream : public DataStream<T> {
 public:
  ProcessedStream(DataStream<T> main, std::vector<std::string> tags)
      : DataStream<T>(std::move(main)), tags_(std::move(tags)) {}

  ProcessedStream name(std::string name) const {
    DataStream<T>::name(std::move(name));
    return *this;
  }
  ProcessedStream uid(std::string uid) const {
    DataStream<T>::uid(std::move(uid));
    return *this;
  }
  ProcessedStream set_parallelism(int parallelism) const {
    DataStream<T>::set_parallelism(parallelism);
    return *this;
  }
  // Throws InvalidInput if the tag was not given to process().
  template <class S>
  DataStream<S> side_output(const OutputTag<S>& tag) const {
    return DataStream<S>(
        this->upstream(this->up_.vertex,
                       detail::side_output_index(this->up_, tags_, tag.name(), record_type<S>())),
        {});
  }

 private:
  std::vector<std::string> tags_;
};

}  // namespace freshet

#include "freshet/keyed_stream.h"
