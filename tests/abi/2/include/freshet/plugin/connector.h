// A connector: a plugin with sources and sinks, which jobs ask for by name.
//
//   struct LinesSource { ... };   // a source of freshet/source.h
//   struct LinesSink { ... };     // a sink of freshet/sink.h
//   FRESHET_SOURCE("lines.read", LinesSource);
//   FRESHET_SINK("lines.write", std::string, LinesSink);
//   FRESHET_CONNECTOR_PLUGIN("lines", "1.0.0");
//
// and in a job that knows nothing of these classes
//
//   env.from_registered<std::string>("lines.read", freshet::payload_of(path))
//       .sink_to_registered("lines.write", freshet::payload_of(folder, 4));
//
// The payload becomes the object: by its read_bound(PayloadReader&) if it has one, else field by
// field in their order, of exactly those types. A payload that is something else fails the job with
// the operator's name.
//
// Records    Those of the job and of the connector must have equal schemas and the same layout
//            (std::string and std::string_view have not): checked when the first batch comes.
// Threads    As freshet/source.h and freshet/sink.h say.
#pragma once

#include "freshet/detail/kernel.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/sink.h"
#include "freshet/source.h"

namespace freshet::detail {

template <class F>
inline constexpr bool reads_payload_v = requires(PayloadReader& from) {
  F::read_bound(from);
};
template <class F>
inline constexpr bool made_from_payload_v =
    reads_payload_v<F> || std::is_empty_v<F> || Serializable<F>;

template <class F>
F read_registered(PayloadReader& from) {
  if constexpr (reads_payload_v<F>) {
    return F::read_bound(from);
  } else if constexpr (std::is_empty_v<F>) {
    return F{};
  } else {
    return from.value<F>();
  }
}

template <class S>
struct FRESHET_HIDDEN RegisteredSource : SourceStage<S> {
  static RegisteredSource read(PayloadReader& from) { return {{read_registered<S>(from)}}; }
  static std::unique_ptr<Coordinator> make_coordinator(PayloadReader& payload) {
    return std::make_unique<SplitCoordinator<S>>(read_registered<S>(payload));
  }
};

template <class T, class S>
struct FRESHET_HIDDEN RegisteredSink : SinkStage<T, S> {
  static RegisteredSink read(PayloadReader& from) { return {{read_registered<S>(from)}}; }
};

// After a mistake that has been told: nothing more is to be said.
struct NoOperator {
  static std::unique_ptr<Operator> make(PayloadReader*, std::size_t) { return nullptr; }
};

template <class S>
constexpr bool require_payload() {
  static_assert(made_from_payload_v<S>,
                "freshet: this source or sink can't be made from a payload: give it a static "
                "read_bound(PayloadReader&), or make it an aggregate of types that have a Serde");
  return true;
}

template <class S>
constexpr auto source_operator() {
  static_assert(SourceFunction<S>,
                "freshet: FRESHET_SOURCE(name, S): S is no source: it needs Record, Split, "
                "bounded(), enumerator(parallelism) and reader(context); see "
                "freshet/source.h");
  if constexpr (SourceFunction<S>) {
    using Record = Owned<typename S::Record>;
    static_assert(require_payload<S>() && require_serde<Record>() &&
                  require_serde<typename S::Split>());
    if constexpr (made_from_payload_v<S> && Serializable<Record> &&
                  Serializable<typename S::Split>) {
      return std::type_identity<Kernel<RegisteredSource<S>>>{};
    } else {
      return std::type_identity<NoOperator>{};
    }
  } else {
    return std::type_identity<NoOperator>{};
  }
}

template <class T, class S>
constexpr auto sink_operator() {
  static_assert(SinkFunction<S, T>,
                "freshet: FRESHET_SINK(name, Record, S): S has no write(const Record&)");
  if constexpr (SinkFunction<S, T>) {
    static_assert(require_payload<S>() && require_serde<Owned<T>>());
    if constexpr (made_from_payload_v<S> && Serializable<Owned<T>>) {
      return std::type_identity<Kernel<RegisteredSink<T, S>>>{};
    } else {
      return std::type_identity<NoOperator>{};
    }
  } else {
    return std::type_identity<NoOperator>{};
  }
}

}  // namespace freshet::detail

// At global scope, once per name, in any source file of the connector. Names are unique among all
// plugins: begin them with the connector's.
#define FRESHET_SOURCE(name_, Source_)                               \
  static ::freshet::detail::RegisteredByName<                        \
      decltype(::freshet::detail::source_operator<Source_>())::type> \
  FRESHET_DETAIL_UNIQUE(freshet_registered_operator_)(name_)
#define FRESHET_SINK(name_, Record_, Sink_)                               \
  static ::freshet::detail::RegisteredByName<                             \
      decltype(::freshet::detail::sink_operator<Record_, Sink_>())::type> \
  FRESHET_DETAIL_UNIQUE(freshet_registered_operator_)(name_)

// Once in the shared object, at global scope.
#define FRESHET_CONNECTOR_PLUGIN(name_, version_) \
  FRESHET_DETAIL_MODULE(FRESHET_KIND_CONNECTOR, name_, version_, nullptr, nullptr, nullptr)
