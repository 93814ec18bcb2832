// The state of an operator's function objects on its way from main to a task.
//
// A payload is bytes; beside them stand the places of pointers to functions, which travel as
// {module, offset}, and of closures that were copied as they lie in memory, which execute() scans
// for pointers (a lint for [&] and captured pointers, not a security boundary).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "freshet/api.h"
#include "freshet/serde.h"

namespace freshet {

struct Payload {
  // The eight bytes at `offset` stand for the address of a function.
  struct Code {
    std::uint32_t offset;
    const void* address;
  };
  // Bytes [offset, offset + size) are a closure as it lay in memory. `second` is the same closure
  // built over memory that held another byte: where the two differ there is only padding.
  struct Closure {
    std::uint32_t offset;
    std::uint32_t size;
    std::string second;
  };
  std::string bytes;
  std::vector<Code> code;
  std::vector<Closure> closures;
};

class FRESHET_API PayloadWriter {
 public:
  explicit PayloadWriter(Payload& payload) : payload_(payload) {}

  template <class T>
  void value(const T& v) {
    ByteWriter writer;
    Serde<T>::write(writer, v);
    raw(writer.data(), writer.size());
  }
  void code(const void* function);
  void closure(const void* first, const void* second, std::size_t size);

 private:
  void raw(const void* bytes, std::size_t size);
  Payload& payload_;
};

// Over a payload whose code addresses have been put in place for this process.
class FRESHET_API PayloadReader {
 public:
  PayloadReader(const char* bytes, std::size_t size) : reader_(bytes, bytes + size) {}

  template <class T>
  T value() {
    return Serde<T>::read(reader_);
  }
  const void* code();
  // Throws DecodeError unless exactly `size` bytes were written for this closure.
  void closure(void* into, std::size_t size);
  // All that is left, as it was written: for payloads of a format of one's own. Lasts as long as
  // the call of make() that got the reader.
  std::string_view rest();
  // Throws DecodeError if bytes are left.
  void expect_end() const;

 private:
  ByteReader reader_;
};

// The payload of a registered operator that reads these values one after another. Text becomes
// std::string.
template <class... Values>
std::string payload_of(const Values&... values) {
  Payload payload;
  PayloadWriter writer(payload);
  const auto write = [&](const auto& value) {
    if constexpr (std::is_convertible_v<decltype(value), std::string_view>) {
      writer.value(std::string(std::string_view(value)));
    } else {
      writer.value(value);
    }
  };
  (write(values), ...);
  return payload.bytes;
}

namespace detail {

// f(args...), or args.*f for a pointer to a member.
template <class F, class V, class... Args>
FRESHET_HIDDEN inline __attribute__((always_inline)) decltype(auto) call(F& function, V&& value,
                                                                         Args&&... args) {
  if constexpr (std::is_member_object_pointer_v<F>) {
    return (static_cast<V&&>(value).*function);
  } else if constexpr (std::is_member_function_pointer_v<F>) {
    return (static_cast<V&&>(value).*function)(static_cast<Args&&>(args)...);
  } else {
    return function(static_cast<V&&>(value), static_cast<Args&&>(args)...);
  }
}

// A function object with a value bound to it, which it gets behind its arguments. Several are bound
// one around the other: see bind().
template <class F, class A>
struct BoundFunction;

template <class F>
inline constexpr bool is_function_pointer_v =
    std::is_pointer_v<F>&& std::is_function_v<std::remove_pointer_t<F>>;

template <class F>
inline constexpr bool writes_itself_v = requires(const F& f, PayloadWriter& to,
                                                 PayloadReader& from) {
  f.write_bound(to);
  F::read_bound(from);
};

template <class F>
inline constexpr bool travels_v = std::is_nothrow_destructible_v<F> &&
                                  (std::is_empty_v<F> || is_function_pointer_v<F> ||
                                   std::is_member_pointer_v<F> || std::is_trivially_copyable_v<F> ||
                                   writes_itself_v<F> || Serializable<F>);

template <class F, class A>
inline constexpr bool travels_v<BoundFunction<F, A>> = travels_v<F>&& Serializable<A>;

// Padding must not count: it is cleared, or, by clang 14 which can't, shows as a difference between
// copies made over different bytes.
template <class F>
void write_closure(PayloadWriter& to, const F& function) {
#if __has_builtin(__builtin_clear_padding)
  // Of variables: for what a pointer leads to, gcc 12 takes some closures for not trivially
  // copyable.
  F copy(function);
  __builtin_clear_padding(&copy);
  to.closure(&copy, &copy, sizeof(F));
#else
  alignas(F) unsigned char first[sizeof(F)];
  alignas(F) unsigned char second[sizeof(F)];
  __builtin_memset(first, 0x00, sizeof(F));
  __builtin_memset(second, 0xff, sizeof(F));
  // What the compiler knows of the memory must not let it merge the two copies into one.
  asm volatile("" : : "r"(first), "r"(second) : "memory");
  to.closure(::new (static_cast<void*>(first)) F(function),
             ::new (static_cast<void*>(second)) F(function), sizeof(F));
#endif
}

template <class F>
void write_function(PayloadWriter& to, const F& function) {
  if constexpr (is_function_pointer_v<F>) {
    to.code(reinterpret_cast<const void*>(function));
  } else if constexpr (requires { function.write_bound(to); }) {
    function.write_bound(to);
  } else if constexpr (std::is_empty_v<F>) {
  } else if constexpr (std::is_member_function_pointer_v<F>) {
    // Itanium ABI: {function or vtable offset + 1, adjustment of this}.
    struct Parts {
      std::uintptr_t function;
      std::int64_t adjustment;
    } parts;
    static_assert(sizeof parts == sizeof(F));
    __builtin_memcpy(&parts, &function, sizeof parts);
    const bool is_virtual = parts.function % 2 != 0;
    to.value(is_virtual);
    if (is_virtual) {
      to.value(static_cast<std::uint64_t>(parts.function));
    } else {
      to.code(reinterpret_cast<const void*>(parts.function));
    }
    to.value(parts.adjustment);
  } else if constexpr (std::is_trivially_copyable_v<F>) {
    write_closure(to, function);
  } else {
    to.value(function);
  }
}

template <class F>
F read_function(PayloadReader& from) {
  if constexpr (is_function_pointer_v<F>) {
    return reinterpret_cast<F>(const_cast<void*>(from.code()));
  } else if constexpr (requires { F::read_bound(from); }) {
    return F::read_bound(from);
  } else if constexpr (std::is_empty_v<F> && std::is_default_constructible_v<F>) {
    return F{};
  } else if constexpr (std::is_member_function_pointer_v<F>) {
    struct Parts {
      std::uintptr_t function;
      std::int64_t adjustment;
    } parts;
    parts.function = from.value<bool>() ? static_cast<std::uintptr_t>(from.value<std::uint64_t>())
                                        : reinterpret_cast<std::uintptr_t>(from.code());
    parts.adjustment = from.value<std::int64_t>();
    F function;
    __builtin_memcpy(&function, &parts, sizeof parts);
    return function;
  } else if constexpr (std::is_trivially_copyable_v<F>) {
    // Copying the bytes of a trivially copyable object begins the lifetime of another one.
    alignas(F) unsigned char memory[sizeof(F)] = {};
    if constexpr (!std::is_empty_v<F>) from.closure(memory, sizeof(F));
    return *std::launder(reinterpret_cast<F*>(memory));
  } else {
    return from.value<F>();
  }
}

template <class F, class A>
struct BoundFunction {
  F function;
  A value;
  template <class... Args>
  requires std::is_invocable_v<F&, Args..., const A&> FRESHET_INLINE decltype(auto) operator()(
      Args&&... args) {
    return detail::call(function, static_cast<Args&&>(args)..., static_cast<const A&>(value));
  }
  void write_bound(PayloadWriter& to) const {
    write_function(to, function);
    to.value(value);
  }
  static BoundFunction read_bound(PayloadReader& from) {
    F function = read_function<F>(from);
    return {std::move(function), from.value<A>()};
  }
};

// f, called with the values behind its arguments, as std::thread binds them.
template <class F>
F bind(F function) {
  return function;
}
template <class F, class A, class... Rest>
auto bind(F function, A value, Rest... rest) {
  auto inner = detail::bind(std::move(function), std::move(rest)...);
  return BoundFunction<decltype(inner), A>{std::move(inner), std::move(value)};
}
template <class F, class... Bound>
using BindResult = decltype(detail::bind(std::declval<F>(), std::declval<Bound>()...));

}  // namespace detail
}  // namespace freshet
