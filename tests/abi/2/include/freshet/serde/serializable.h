// Which types have a Serde, and what the compiler says about one that has none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "freshet/serde/shapes.h"

namespace freshet {

template <class T>
struct Serde;

// Opt-in: values of this trivially copyable class may be written as their raw bytes, padding and
// all, and hold no address.
template <class T>
inline constexpr bool trivially_serializable = false;

namespace detail {

// Base of all that is not a specialisation by a user.
struct BuiltInSerde {};

enum class SerdeProblem {
  kNone,
  kNoSerde,
  kPointer,
  kMsgpackHeader,
  kOptIn,
  kConst,
  kBase,
  kNoDefault,
  kTooManyFields,
  kRecursive,
};

struct AnyPacker {};

template <class T>
concept HasMsgpackDefine = std::is_class_v<T> && requires(const T& t, AnyPacker& packer) {
  t.msgpack_pack(packer);
};

template <class T, bool ViewsAllowed, class... Around>
constexpr SerdeProblem find_serde_problem();

template <class Parts, bool ViewsAllowed, class... Around>
struct PartsProblem;
template <class... P, bool ViewsAllowed, class... Around>
struct PartsProblem<TypeList<P...>, ViewsAllowed, Around...> {
  static constexpr SerdeProblem find() {
    SerdeProblem first = SerdeProblem::kNone;
    (void)(((first = find_serde_problem<P, ViewsAllowed, Around...>()) != SerdeProblem::kNone) ||
           ...);
    return first;
  }
};

// `Around` are the aggregates that T is inside of.
template <class T, bool ViewsAllowed, class... Around>
constexpr SerdeProblem find_serde_problem() {
  constexpr Shape shape = shape_v<T>;
  if constexpr (std::is_reference_v<T>) {
    return SerdeProblem::kPointer;
  } else if constexpr (!std::is_object_v<T>) {
    return SerdeProblem::kNoSerde;
  } else if constexpr (std::is_const_v<T> || std::is_volatile_v<T>) {
    return SerdeProblem::kConst;
  } else if constexpr (std::is_array_v<T>) {
    return find_serde_problem<std::remove_extent_t<T>, false, Around...>();
  } else if constexpr (!std::is_base_of_v<BuiltInSerde, Serde<T>>) {
    return SerdeProblem::kNone;
  } else if constexpr (HasMsgpackDefine<T>) {
    return SerdeProblem::kMsgpackHeader;
  } else if constexpr (trivially_serializable<T>) {
    static_assert(std::is_trivially_copyable_v<T>,
                  "freshet: trivially_serializable is for trivially copyable types: specialise "
                  "freshet::Serde<T> for this one");
    return SerdeProblem::kNone;
  } else if constexpr ((std::is_same_v<T, Around> || ...)) {
    return SerdeProblem::kRecursive;
  } else if constexpr (shape == Shape::kScalar || shape == Shape::kString) {
    return SerdeProblem::kNone;
  } else if constexpr (shape == Shape::kView) {
    return ViewsAllowed ? SerdeProblem::kNone : SerdeProblem::kPointer;
  } else if constexpr (shape == Shape::kPointer || ViewShape<T>) {
    return SerdeProblem::kPointer;
  } else if constexpr (shape == Shape::kTuple || shape == Shape::kOptional) {
    return PartsProblem<typename ShapeOf<T>::Parts, ViewsAllowed, Around...>::find();
  } else if constexpr (shape == Shape::kAggregate) {
    return PartsProblem<typename ShapeOf<T>::Parts, false, Around..., T>::find();
  } else if constexpr (shape != Shape::kOther) {
    return PartsProblem<typename ShapeOf<T>::Parts, false, Around...>::find();
  } else if constexpr (AggregateClass<T>) {
    return HasBase<T>                            ? SerdeProblem::kBase
           : !std::is_default_constructible_v<T> ? SerdeProblem::kNoDefault
                                                 : SerdeProblem::kTooManyFields;
  } else {
    return std::is_trivially_copyable_v<T> ? SerdeProblem::kOptIn : SerdeProblem::kNoSerde;
  }
}

template <class T>
inline constexpr SerdeProblem serde_problem = find_serde_problem<T, true>();

template <class T>
constexpr bool find_packed();

// True if the memory of a T is its format: no padding, no addresses, any bytes are a valid value
// (so no bool). Values and whole batches of them are then written and read by one memcpy.
template <class T>
inline constexpr bool packed_v = find_packed<T>();

template <class Parts>
struct PackedParts;
template <class... P>
struct PackedParts<TypeList<P...>> {
  static constexpr bool all = (packed_v<P> && ...);
  static constexpr std::size_t bytes = (sizeof(P) + ... + 0);
};

template <class T>
constexpr bool find_packed() {
  constexpr Shape shape = shape_v<T>;
  if constexpr (!std::is_object_v<T> || std::is_const_v<T> || std::is_volatile_v<T>) {
    return false;
  } else if constexpr (std::is_array_v<T>) {
    return packed_v<std::remove_extent_t<T>>;
  } else if constexpr (std::is_enum_v<T>) {
    return packed_v<std::underlying_type_t<T>>;
  } else if constexpr (shape == Shape::kScalar) {
    return !std::is_same_v<T, bool> && !std::is_same_v<T, long double>;
  } else if constexpr (!std::is_trivially_copyable_v<T> || HasMsgpackDefine<T> ||
                       !std::is_base_of_v<BuiltInSerde, Serde<T>>) {
    return false;
  } else if constexpr (trivially_serializable<T>) {
    return true;
  } else if constexpr (shape == Shape::kArray) {
    return ShapeOf<T>::count != 0 && PackedParts<typename ShapeOf<T>::Parts>::all;
  } else if constexpr (shape == Shape::kAggregate) {
    using Parts = PackedParts<typename ShapeOf<T>::Parts>;
    return Parts::all && Parts::bytes == sizeof(T);
  } else {
    return false;
  }
}

template <class T>
constexpr const char* scalar_name() {
  if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else if constexpr (std::is_same_v<T, char>) {
    return "char";  // signed here, unsigned there
  } else if constexpr (std::is_floating_point_v<T>) {
    return sizeof(T) == 4 ? "f32" : sizeof(T) == 8 ? "f64" : "long double";
  } else if constexpr (std::is_signed_v<T>) {
    return sizeof(T) == 1 ? "i8" : sizeof(T) == 2 ? "i16" : sizeof(T) == 4 ? "i32" : "i64";
  } else {
    return sizeof(T) == 1 ? "u8" : sizeof(T) == 2 ? "u16" : sizeof(T) == 4 ? "u32" : "u64";
  }
}

}  // namespace detail

template <class T>
concept Serializable = detail::serde_problem<T>
== detail::SerdeProblem::kNone;

namespace detail {

template <class T>
constexpr bool require_serde() {
  constexpr SerdeProblem problem = serde_problem<T>;
  static_assert(problem != SerdeProblem::kNoSerde,
                "freshet: this record type has no Serde: make it an aggregate of types that have "
                "one, specialise freshet::Serde<T>, or use MSGPACK_DEFINE");
  static_assert(problem != SerdeProblem::kPointer,
                "freshet: this record type holds a pointer, reference, span or view, which means "
                "nothing in another process: hold the value itself (std::string for string_view, "
                "std::vector for span), or specialise freshet::Serde<T>");
  static_assert(problem != SerdeProblem::kMsgpackHeader,
                "freshet: this record type uses MSGPACK_DEFINE: include freshet/serde/msgpack.h "
                "before it is used in a stream");
  static_assert(problem != SerdeProblem::kOptIn,
                "freshet: this record type is a trivially copyable class but no aggregate: if its "
                "bytes may travel as they are, say template <> inline constexpr bool "
                "freshet::trivially_serializable<T> = true; else specialise freshet::Serde<T>");
  static_assert(problem != SerdeProblem::kConst,
                "freshet: this record type has a const or volatile field, which can't be read "
                "back: drop the qualifier, or specialise freshet::Serde<T>");
  static_assert(problem != SerdeProblem::kBase,
                "freshet: this record type has a base class, whose fields can't be seen: make the "
                "base its first field, or specialise freshet::Serde<T>");
  static_assert(problem != SerdeProblem::kNoDefault,
                "freshet: this record type can't be made from {}: a field of it is a reference or "
                "has no default value: give it one, or specialise freshet::Serde<T>");
  static_assert(problem != SerdeProblem::kTooManyFields,
                "freshet: this record type has more than 32 fields: put some of them into an "
                "aggregate of their own, or specialise freshet::Serde<T>");
  static_assert(problem != SerdeProblem::kRecursive,
                "freshet: this record type contains itself: specialise freshet::Serde<T>");
  return true;
}

}  // namespace detail
}  // namespace freshet

// One readable error if T has no Serde, none otherwise. Guard what follows with
// `if constexpr (freshet::Serializable<T>)`, so that it is the only one.
#define FRESHET_REQUIRE_SERDE(...) static_assert(::freshet::detail::require_serde<__VA_ARGS__>())
