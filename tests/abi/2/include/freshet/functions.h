// What user functions are handed, and how they are called.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "freshet/api.h"
#include "freshet/payload.h"
#include "freshet/plugin/batch.h"
#include "freshet/plugin/operator.h"
#include "freshet/plugin/record_type.h"
#include "freshet/runtime_context.h"

namespace freshet {

// Receives the records that a flat_map or process function makes. A view given to it must stay
// valid until the call returns; the runtime copies its bytes where they have to live longer.
template <class T>
class Collector {
 public:
  using Record = T;
  using Emit = void (*)(void* target, T&& record);
  Collector(void* target, Emit emit) : target_(target), emit_(emit) {}
  void operator()(T record) { emit_(target_, std::move(record)); }
  void emit(T record) { emit_(target_, std::move(record)); }

 private:
  void* target_;
  Emit emit_;
};

// Names a side output and the type of its records; may be captured. Two tags of one process() need
// different names, of at most 47 bytes: the constructor throws InvalidInput for a longer one.
class FRESHET_API OutputName {
 public:
  explicit OutputName(std::string_view name);
  std::string_view name() const { return {bytes_, static_cast<std::size_t>(bytes_[kMost])}; }

 private:
  static constexpr std::size_t kMost = 47;
  char bytes_[kMost + 1];  // the size stands last; no part of it looks like an address
};
template <class T>
class OutputTag : public OutputName {
 public:
  using Record = T;
  using OutputName::OutputName;
};

// Beside the record, for process functions.
class FRESHET_API ProcessContext {
 public:
  // The side outputs of this process(), in their order.
  struct SideOutputs {
    const std::string* names;
    const RecordType* const* types;
    std::uint32_t count;
  };
  ProcessContext(RuntimeContext& runtime, std::int64_t timestamp, std::int64_t watermark,
                 const SideOutputs& side_outputs)
      : runtime_(runtime),
        timestamp_(timestamp),
        watermark_(watermark),
        side_outputs_(side_outputs) {}
  // Event time of the record in ms, kNoTimestamp if it has none.
  std::int64_t timestamp() const { return timestamp_; }
  // Event time has come this far; kNoTimestamp before the first watermark.
  std::int64_t watermark() const { return watermark_; }
  RuntimeContext& runtime() const { return runtime_; }

  // Sends a record to the side output of that tag. Throws InvalidInput unless the tag, with this
  // type, is among those given to process().
  template <class T>
  void output(const OutputTag<T>& tag, T record) {
    write_side_output(tag.name(), record_type<T>(), &record,
                      [](Batch& batch, void* value, std::int64_t timestamp) {
                        T* row = batch.rows<T>() + batch.size();
                        detail::Rows<T>::construct(batch, row, std::move(*static_cast<T*>(value)));
                        batch.timestamp_column()[batch.size()] = timestamp;
                        batch.set_has_timestamps(true);
                        batch.set_size(batch.size() + 1);
                      });
  }

 private:
  std::uint32_t side_index(std::string_view name, const RecordType& type) const;
  void write_side_output(std::string_view name, const RecordType& type, void* record,
                         void (*append)(Batch&, void*, std::int64_t));

  RuntimeContext& runtime_;
  std::int64_t timestamp_;
  std::int64_t watermark_;
  const SideOutputs& side_outputs_;
};

namespace detail {

template <class F, class... Args>
concept Callable = std::is_invocable_v<F&, Args...>;

template <class F, class... Args>
concept Predicate =
    Callable<F, Args...> && std::is_constructible_v<bool, std::invoke_result_t<F&, Args...>>;

template <class F, class... Args>
using CallResult = std::remove_cvref_t<std::invoke_result_t<F&, Args...>>;

// Function objects may have open(RuntimeContext&) and close(), also with bound arguments.
template <class F>
inline constexpr bool opens_v = requires(F& f, RuntimeContext& c) {
  f.open(c);
};
template <class F, class A>
inline constexpr bool opens_v<BoundFunction<F, A>> = opens_v<F>;
template <class F>
inline constexpr bool closes_v = requires(F& f) {
  f.close();
};
template <class F, class A>
inline constexpr bool closes_v<BoundFunction<F, A>> = closes_v<F>;

template <class F>
void open_function(F& function, RuntimeContext& context) {
  if constexpr (requires {
                  function.function;
                  function.write_bound;
                }) {
    open_function(function.function, context);
  } else {
    function.open(context);
  }
}
template <class F, class A>
void open_function(BoundFunction<F, A>& bound, RuntimeContext& context) {
  open_function(bound.function, context);
}
template <class F>
void close_function(F& function) {
  function.close();
}
template <class F, class A>
void close_function(BoundFunction<F, A>& bound) {
  close_function(bound.function);
}

// Base of stages that hold one user function.
template <class F>
struct FunctionStage {
  F function;

  void open(RuntimeContext& context) requires opens_v<F> { open_function(function, context); }
  void close() requires closes_v<F> { close_function(function); }
  void write(PayloadWriter& to) const { write_function(to, function); }
};

}  // namespace detail
}  // namespace freshet
