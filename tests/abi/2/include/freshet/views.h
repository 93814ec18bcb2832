// Views: records that borrow their bytes from the batch they travel in.
//
// std::string_view is one, and so is a pair, tuple or optional with one inside. A view lives until
// its batch is released. State, reduce, windows, collect, async calls and whatever else outlives
// the call take the owned type: Owned<std::string_view> is std::string.
#pragma once

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "freshet/serde/shapes.h"

namespace freshet {

namespace detail {

template <class T, Shape = shape_v<T>, class Parts = typename ShapeOf<T>::Parts>
inline constexpr bool holds_view = false;
template <class T, class P>
inline constexpr bool holds_view<T, Shape::kView, P> = true;
template <class T, class... P>
inline constexpr bool holds_view<T, Shape::kTuple, TypeList<P...>> = (holds_view<P> || ...);
template <class T, class P>
inline constexpr bool holds_view<T, Shape::kOptional, TypeList<P>> = holds_view<P>;

template <class T>
struct OwnedOf {
  using type = T;
};
template <>
struct OwnedOf<std::string_view> {
  using type = std::string;
};
template <template <class...> class C, class... P>
requires holds_view<C<P...>>
struct OwnedOf<C<P...>> {
  using type = C<typename OwnedOf<P>::type...>;
};

}  // namespace detail

template <class T>
inline constexpr bool is_view_v = detail::holds_view<std::remove_cv_t<T>>;

// The type that holds what T only views; T itself where T is no view.
template <class T>
using Owned = typename detail::OwnedOf<std::remove_cv_t<T>>::type;

template <class T>
Owned<T> to_owned(const T& value) {
  constexpr auto shape = detail::shape_v<T>;
  if constexpr (!is_view_v<T>) {
    return value;
  } else if constexpr (shape == detail::Shape::kView) {
    return std::string(value);
  } else if constexpr (shape == detail::Shape::kTuple) {
    return std::apply([](const auto&... part) { return Owned<T>(to_owned(part)...); }, value);
  } else {
    Owned<T> owned;
    if (value.has_value()) owned.emplace(to_owned(*value));
    return owned;
  }
}

// The same value, with its view bytes copied into memory from `char* allocate(size_t)`, which is
// not called for empty ones. The result lives as long as that memory.
template <class T, class Allocate>
T copy_views(const T& value, Allocate&& allocate) {
  constexpr auto shape = detail::shape_v<T>;
  if constexpr (!is_view_v<T>) {
    return value;
  } else if constexpr (shape == detail::Shape::kView) {
    if (value.empty()) return {};
    char* bytes = allocate(value.size());
    std::memcpy(bytes, value.data(), value.size());
    return T(bytes, value.size());
  } else if constexpr (shape == detail::Shape::kTuple) {
    return std::apply([&](const auto&... part) { return T{copy_views(part, allocate)...}; }, value);
  } else {
    T copy;
    if (value.has_value()) copy.emplace(copy_views(*value, allocate));
    return copy;
  }
}

// For a class of yours that owns memory: specialise with `static size_t of(const T&)`.
template <class T>
struct HeapBytes;

namespace detail {

template <class T>
concept HasOwnHeapBytes = requires(const T& value) {
  HeapBytes<T>::of(value);
};

template <class Parts>
inline constexpr bool any_heap = false;

template <class T>
constexpr bool find_heap() {
  constexpr Shape shape = shape_v<T>;
  if constexpr (HasOwnHeapBytes<T>) {
    return true;
  } else if constexpr (std::is_array_v<T>) {
    return find_heap<std::remove_all_extents_t<T>>();
  } else if constexpr (shape == Shape::kString || shape == Shape::kSequence ||
                       shape == Shape::kSet || shape == Shape::kMap) {
    return true;
  } else if constexpr (std::is_trivially_copyable_v<T>) {
    return false;
  } else {
    return any_heap<typename ShapeOf<T>::Parts>;
  }
}

template <class... P>
inline constexpr bool any_heap<TypeList<P...>> = (find_heap<std::remove_cv_t<P>>() || ...);

}  // namespace detail

// False: heap_bytes() is 0 for every T, and known to be so when compiling.
template <class T>
inline constexpr bool has_heap_bytes_v = detail::find_heap<std::remove_cv_t<T>>();

// Bytes that a value holds beyond sizeof(T), what its parts hold included; an estimate for nodes of
// sets and maps. 0 for a class of whose insides nothing is known (see HeapBytes). What a view
// points at is not the view's.
template <class T>
std::size_t heap_bytes(const T& value);

namespace detail {

template <class... P>
std::size_t heap_bytes_of_all(const P&... parts) {
  return (heap_bytes(parts) + ... + 0);
}

template <class Range>
std::size_t heap_bytes_of_each(const Range& range) {
  std::size_t sum = 0;
  for (const auto& element : range) sum += heap_bytes(element);
  return sum;
}

template <std::size_t I, class T>
std::size_t heap_bytes_of_held(const T& variant) {
  if constexpr (requires { get_if<I>(&variant); }) {
    if (const auto* held = get_if<I>(&variant)) return heap_bytes(*held);
  }
  return 0;
}

template <class T, std::size_t... I>
std::size_t heap_bytes_of_variant(const T& variant, std::index_sequence<I...>) {
  return (heap_bytes_of_held<I>(variant) + ... + 0);
}

template <class T>
std::size_t sequence_capacity(const T& value) {
  if constexpr (requires { value.capacity(); }) {
    return value.capacity();
  } else {
    return value.size();
  }
}

inline constexpr std::size_t kNodeBytes = 4 * sizeof(void*);  // links and the allocator's header

}  // namespace detail

template <class T>
std::size_t heap_bytes(const T& value) {
  using detail::Shape;
  constexpr Shape shape = detail::shape_v<T>;
  if constexpr (!has_heap_bytes_v<T>) {
    return 0;
  } else if constexpr (detail::HasOwnHeapBytes<T>) {
    return HeapBytes<T>::of(value);
  } else if constexpr (shape == Shape::kString) {
    constexpr std::size_t inside = 15;
    return value.capacity() > inside ? value.capacity() + 1 : 0;
  } else if constexpr (shape == Shape::kSequence) {
    using E = typename T::value_type;
    std::size_t bytes = detail::sequence_capacity(value) * sizeof(E);
    if constexpr (std::is_same_v<E, bool>) bytes /= 8;
    if constexpr (has_heap_bytes_v<E>) bytes += detail::heap_bytes_of_each(value);
    return bytes;
  } else if constexpr (shape == Shape::kSet || shape == Shape::kMap) {
    std::size_t bytes = value.size() * (sizeof(typename T::value_type) + detail::kNodeBytes);
    if constexpr (detail::any_heap<typename detail::ShapeOf<T>::Parts>)
      bytes += detail::heap_bytes_of_each(value);
    return bytes;
  } else if constexpr (shape == Shape::kTuple) {
    return std::apply([](const auto&... parts) { return detail::heap_bytes_of_all(parts...); },
                      value);
  } else if constexpr (shape == Shape::kArray) {
    return detail::heap_bytes_of_each(value);
  } else if constexpr (shape == Shape::kOptional) {
    return value.has_value() ? heap_bytes(*value) : 0;
  } else if constexpr (shape == Shape::kVariant) {
    return detail::heap_bytes_of_variant(
        value, std::make_index_sequence<detail::list_size<typename detail::ShapeOf<T>::Parts>>{});
  } else {
    return detail::visit_fields(
        value, [](const auto&... parts) { return detail::heap_bytes_of_all(parts...); });
  }
}

}  // namespace freshet
