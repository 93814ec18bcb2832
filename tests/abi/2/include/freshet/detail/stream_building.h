// What the templates of the DataStream API leave to the library: one place where vertices are made.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "freshet/configuration.h"
#include "freshet/detail/after_mistake.h"
#include "freshet/detail/kernel.h"
#include "freshet/plugin/stream_graph.h"
#include "freshet/source.h"

namespace freshet {

class JobListener;

namespace detail {

struct EnvironmentState {
  Configuration configuration;
  std::unique_ptr<StreamGraph> graph = std::make_unique<StreamGraph>();
  std::vector<std::shared_ptr<JobListener>> listeners;
  std::uint32_t collects = 0;
  std::uint32_t generation = 0;  // counts execute() calls: streams of an earlier one are refused
  // The operators of the last execute() call, for the text of that refusal.
  std::vector<std::string> executed;
};

// Where a stream comes from.
struct Upstream {
  std::shared_ptr<EnvironmentState> environment;
  std::uint32_t generation = 0;
  std::uint32_t vertex = 0;
  std::uint32_t output = 0;
  bool automatic = true;
  Partitioning partitioning = Partitioning::kForward;

  // Throw InvalidInput if the environment has been executed since the stream was made.
  FRESHET_API StreamGraph& graph() const;
  StreamVertex& at() const { return graph().at(vertex); }
  FRESHET_API StreamEdge edge(const RecordType& expects) const;
};

// Throws InvalidInput, naming `call`, unless both are streams of one environment that has not been
// executed since they were made: what a call begins with that joins streams.
FRESHET_API void require_one_job(const char* call, const Upstream& first, const Upstream& other);

// Throw InvalidInput for values out of range, naming the operator.
FRESHET_API void set_parallelism(const Upstream& up, int parallelism);
FRESHET_API void set_max_parallelism(const Upstream& up, int max_parallelism);
FRESHET_API void check_out_of_orderness(std::int64_t ms);
FRESHET_API void check_rate(double records_per_second);
FRESHET_API std::uint32_t side_output_index(const Upstream& up,
                                            const std::vector<std::string>& tags,
                                            std::string_view tag, const RecordType& type);

template <class S>
StreamVertex make_vertex(const char* kind, const S& stage) {
  StreamVertex vertex;
  vertex.kind = kind;
  vertex.name = kind;
  vertex.descriptor = Registered<Kernel<S>>::descriptor();
  vertex.module = &module_anchor;
  PayloadWriter payload(vertex.payload);
  stage.write(payload);
  if constexpr (!std::is_void_v<typename S::Out>) {
    vertex.outputs.push_back(&record_type<typename S::Out>());
  }
  return vertex;
}

// Of an operator that some library has registered, without its inputs and outputs.
FRESHET_API StreamVertex registered_vertex(std::string operator_name, std::string payload);

// Notes a kernel for the stages on the vertex of the last of them.
template <class... Stages>
void note_kernel(const Upstream& last, std::uint32_t head) {
  FusedCandidate candidate{Registered<Kernel<Stages...>>::descriptor(), &module_anchor, head};
  StreamVertex& vertex = last.at();
  for (const FusedCandidate& known : vertex.fused) {
    if (known.descriptor == candidate.descriptor && known.head == head) return;
  }
  vertex.fused.push_back(candidate);
}

// The same for the stages from kFirst on, if there are two.
template <std::size_t kFirst, class... Stages>
void note_kernel_from(const Upstream& last, const std::uint32_t* places) {
  if constexpr (sizeof...(Stages) >= kFirst + 2) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      using All = std::tuple<Stages...>;
      note_kernel<std::tuple_element_t<kFirst + I, All>...>(last, places[kFirst]);
    }
    (std::make_index_sequence<sizeof...(Stages) - kFirst>{});
  }
}

// The place of the last stage that stands behind a keyed edge; 0 if there is none.
template <class... Stages>
constexpr std::size_t last_keyed_stage() {
  constexpr bool keyed[] = {is_keyed_v<typename Stages::In>...};
  std::size_t place = sizeof...(Stages) - 1;
  while (place > 0 && !keyed[place]) --place;
  return place;
}

// The whole chain is one kernel where every edge in it is a call. A keyed edge is one only between
// single subtasks, so there is also the kernel behind the last of them; without a keyed edge, and
// with a source in a header, one without the source, for the run in which it stands elsewhere.
template <class... Stages>
void note_kernels(const Upstream& last, const std::uint32_t* places) {
  constexpr std::size_t kKeyed = last_keyed_stage<Stages...>();
  constexpr bool kSource =
      std::is_void_v<std::tuple_element_t<0, std::tuple<typename Stages::In...>>>;
  note_kernel_from<0, Stages...>(last, places);
  if constexpr (kKeyed > 0) {
    note_kernel_from<kKeyed, Stages...>(last, places);
  } else if constexpr (kSource) {
    note_kernel_from<1, Stages...>(last, places);
  }
}

// The stages but for the last.
template <class Done, class... Left>
struct WithoutLast;
template <class... Done, class Last>
struct WithoutLast<std::tuple<Done...>, Last> {
  using LastStage = Last;
  static void note(const Upstream& last, const std::uint32_t* places) {
    if constexpr (sizeof...(Done) >= 2) note_kernels<Done...>(last, places);
  }
};
template <class... Done, class Next, class... Left>
requires(sizeof...(Left) > 0) struct WithoutLast<std::tuple<Done...>, Next, Left...>
    : WithoutLast<std::tuple<Done..., Next>, Left...> {
};

// ---- what a function object takes and makes ------------------------------------------------

// By the type of F's call operator, or of a pointer to a function; B are the bound values.
template <class F>
struct CollectorOf;
template <class O>
struct CollectorOfRecord {
  using Record = O;
};
template <class C, class R, class V, class O, bool N, class... B>
struct CollectorOf<R (C::*)(V, Collector<O>&, B...) const noexcept(N)> : CollectorOfRecord<O> {};
template <class C, class R, class V, class O, bool N, class... B>
struct CollectorOf<R (C::*)(V, Collector<O>&, B...) noexcept(N)> : CollectorOfRecord<O> {};
template <class R, class V, class O, bool N, class... B>
struct CollectorOf<R (*)(V, Collector<O>&, B...) noexcept(N)> : CollectorOfRecord<O> {};
template <class C, class R, class V, class O, bool N, class... B>
struct CollectorOf<R (C::*)(V, ProcessContext&, Collector<O>&, B...) const noexcept(N)>
    : CollectorOfRecord<O> {};
template <class C, class R, class V, class O, bool N, class... B>
struct CollectorOf<R (C::*)(V, ProcessContext&, Collector<O>&, B...) noexcept(N)>
    : CollectorOfRecord<O> {};
template <class R, class V, class O, bool N, class... B>
struct CollectorOf<R (*)(V, ProcessContext&, Collector<O>&, B...) noexcept(N)>
    : CollectorOfRecord<O> {};

template <class F>
constexpr auto signature_of() {
  if constexpr (requires { &F::operator(); }) {
    return std::type_identity<decltype(&F::operator())>{};
  } else {
    return std::type_identity<F>{};
  }
}
template <class F>
using CollectorRecord = typename CollectorOf<typename decltype(signature_of<F>())::type>::Record;

template <class F>
concept NamesItsCollector = requires {
  typename CollectorRecord<F>;
};

// What stands behind f in process(f, ...): tags of side outputs, and values to be bound.
template <class A>
auto tags_among(const A& argument) {
  if constexpr (std::is_base_of_v<OutputName, A>) {
    return std::tuple<A>(argument);
  } else {
    return std::tuple<>();
  }
}
template <class A>
auto values_among(const A& argument) {
  if constexpr (std::is_base_of_v<OutputName, A>) {
    return std::tuple<>();
  } else {
    return std::tuple<std::decay_t<const A>>(argument);
  }
}
template <class... Tags>
std::vector<std::string> names_of(const std::tuple<OutputTag<Tags>...>& tags) {
  return std::apply(
      [](const auto&... tag) { return std::vector<std::string>{std::string(tag.name())...}; },
      tags);
}
template <class F, class... Bound>
auto bind_all(F function, std::tuple<Bound...> bound) {
  return std::apply(
      [&](Bound&... value) { return detail::bind(std::move(function), std::move(value)...); },
      bound);
}

// ---- the texts of misuse that several calls share ------------------------------------------
// Each tells one mistake, once: what follows is guarded by the constant beside it.

template <class F, class... Bound>
inline constexpr bool end_quietly_v = std::is_nothrow_destructible_v<F> &&
                                      (std::is_nothrow_destructible_v<Bound> && ...);
template <class F, class... Bound>
inline constexpr bool all_travel_v = travels_v<F> &&
                                     (Serializable<Bound> && ...) && end_quietly_v<F, Bound...>;

template <class F, class... Bound>
constexpr bool require_travels() {
  static_assert(end_quietly_v<F, Bound...>,
                "freshet: the destructor of this function object, or of a value in it, is "
                "noexcept(false), and nobody could catch what it throws: make it noexcept, and let "
                "void close() do what may fail");
  static_assert(travels_v<F> || !end_quietly_v<F>,
                "freshet: this function object can't travel to a worker: it captures something "
                "that is neither trivially copyable nor has a Serde. Bind the value as an extra "
                "argument, behind all others of the call: map([](const Record& r, const "
                "std::string& s) {...}, s); a source or sink says what travels by write_bound() "
                "and read_bound()");
  static_assert((Serializable<Bound> && ...),
                "freshet: a bound value has no Serde: bind numbers, strings, containers and "
                "aggregates of these (std::string for a char pointer)");
  return true;
}

template <class... Records>
inline constexpr bool are_records_v = (Serializable<Owned<Records>> && ...);

template <class... Records>
constexpr bool require_records() {
  return (require_serde<Owned<Records>>() && ...);
}

// What a keyed operator keeps, it keeps in a table, whose entries begin as State{}.
template <class State>
constexpr bool require_state() {
  static_assert(std::is_default_constructible_v<State>,
                "freshet: this record can't be kept by key: it needs a default constructor");
  return true;
}

}  // namespace detail
}  // namespace freshet
