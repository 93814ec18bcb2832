// Containers by their shape, so that no header of theirs has to be included here: a class template
// that looks like std::vector, std::map, std::optional or std::variant is taken as one.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>

#include "freshet/serde/fields.h"

namespace freshet::detail {

template <class T, class U>
concept Same = std::is_same_v<T, U>;

// vector, deque, list.
template <class T, class E>
concept SequenceShape = requires(T& t, E&& e) {
  requires Same<typename T::value_type, E>;
  t.push_back(static_cast<E&&>(e));
  t.size();
  t.begin();
  t.end();
};

// map, unordered_map.
template <class T, class K, class V>
concept MapShape = requires(T& t, K&& k, V&& v) {
  requires Same<typename T::key_type, K>;
  requires Same<typename T::mapped_type, V>;
  t.emplace(static_cast<K&&>(k), static_cast<V&&>(v));
  t.size();
  t.begin();
};

// set, unordered_set.
template <class T, class K>
concept SetShape = requires(T& t, K&& k) {
  requires Same<typename T::key_type, K>;
  requires Same<typename T::value_type, K>;
  t.emplace(static_cast<K&&>(k));
  t.size();
  t.begin();
};

template <class T, class E>
concept OptionalShape = requires(T& t, E&& e) {
  requires Same<typename T::value_type, E>;
  t.has_value();
  *t;
  t.emplace(static_cast<E&&>(e));
  t.reset();
};

template <class T>
concept VariantShape = requires(const T& t) {
  t.valueless_by_exception();
  t.index();
};

// What T is made of, for all that walks over types (Serde, views, hashes, sizes).
enum class Shape {
  kOther,
  kScalar,     // arithmetic or enum
  kPointer,    // pointer, member pointer, nullptr
  kString,     // std::string
  kView,       // std::string_view
  kTuple,      // pair, tuple; Parts are the elements
  kArray,      // std::array or a plain array; Parts is the element
  kSequence,   // Parts is the element
  kSet,        // Parts is the element
  kMap,        // Parts are key and value
  kOptional,   // Parts is the element
  kVariant,    // Parts are the alternatives
  kAggregate,  // Parts are the fields
};

template <Shape S, class... P>
struct ShapeIs {
  static constexpr Shape shape = S;
  using Parts = TypeList<P...>;
};

template <class T>
struct ShapeOf : ShapeIs<std::is_arithmetic_v<T> || std::is_enum_v<T> ? Shape::kScalar
                         : std::is_pointer_v<T> || std::is_member_pointer_v<T> ||
                                 std::is_null_pointer_v<T> || std::is_reference_v<T>
                             ? Shape::kPointer
                             : Shape::kOther> {};
template <Visitable T>
struct ShapeOf<T> {
  static constexpr Shape shape = Shape::kAggregate;
  using Parts = FieldTypes<T>;
};
template <>
struct ShapeOf<std::string> : ShapeIs<Shape::kString> {};
template <>
struct ShapeOf<std::string_view> : ShapeIs<Shape::kView> {};
template <class A, class B>
struct ShapeOf<std::pair<A, B>> : ShapeIs<Shape::kTuple, A, B> {};
template <class... T>
struct ShapeOf<std::tuple<T...>> : ShapeIs<Shape::kTuple, T...> {};
template <class T, std::size_t N>
struct ShapeOf<std::array<T, N>> : ShapeIs<Shape::kArray, T> {
  static constexpr std::size_t count = N;
};
template <class T, std::size_t N>
struct ShapeOf<T[N]> : ShapeIs<Shape::kArray, T> {
  static constexpr std::size_t count = N;
};
template <template <class...> class C, class E, class... More>
requires SequenceShape<C<E, More...>, E>
struct ShapeOf<C<E, More...>> : ShapeIs<Shape::kSequence, E> {
};
template <template <class...> class C, class E, class... More>
requires SetShape<C<E, More...>, E>
struct ShapeOf<C<E, More...>> : ShapeIs<Shape::kSet, E> {
};
template <template <class...> class C, class K, class V, class... More>
requires MapShape<C<K, V, More...>, K, V>
struct ShapeOf<C<K, V, More...>> : ShapeIs<Shape::kMap, K, V> {
};
template <template <class...> class C, class E>
requires OptionalShape<C<E>, E>
struct ShapeOf<C<E>> : ShapeIs<Shape::kOptional, E> {
};
template <template <class...> class C, class... A>
requires VariantShape<C<A...>>
struct ShapeOf<C<A...>> : ShapeIs<Shape::kVariant, A...> {
};

template <class T>
inline constexpr Shape shape_v = ShapeOf<T>::shape;

// A trivially copyable class with data() and size(): it points at what it holds (std::span).
template <class T>
concept ViewShape =
    std::is_class_v<T> && std::is_trivially_copyable_v<T> && !std::is_aggregate_v<T> &&
    requires(const T& t) {
  t.data();
  t.size();
};

}  // namespace freshet::detail
