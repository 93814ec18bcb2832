// The fields of an aggregate, without reflection: how many there are, their types, and a call with
// all of them.
//
// Counting initialises the type from ever more empty braces, which no brace elision can blur. So an
// aggregate is understood here if it is a class without bases that can be made from {}, with at
// most kMaxFields fields and no bit-fields.
#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace freshet::detail {

inline constexpr std::size_t kMaxFields = 32;

template <class... T>
struct TypeList {};

template <class List>
inline constexpr std::size_t list_size = 0;
template <class... T>
inline constexpr std::size_t list_size<TypeList<T...>> = sizeof...(T);

// clang-format off

#define FRESHET_BRACES_1 {}
#define FRESHET_BRACES_2 FRESHET_BRACES_1, {}
#define FRESHET_BRACES_3 FRESHET_BRACES_2, {}
#define FRESHET_BRACES_4 FRESHET_BRACES_3, {}
#define FRESHET_BRACES_5 FRESHET_BRACES_4, {}
#define FRESHET_BRACES_6 FRESHET_BRACES_5, {}
#define FRESHET_BRACES_7 FRESHET_BRACES_6, {}
#define FRESHET_BRACES_8 FRESHET_BRACES_7, {}
#define FRESHET_BRACES_9 FRESHET_BRACES_8, {}
#define FRESHET_BRACES_10 FRESHET_BRACES_9, {}
#define FRESHET_BRACES_11 FRESHET_BRACES_10, {}
#define FRESHET_BRACES_12 FRESHET_BRACES_11, {}
#define FRESHET_BRACES_13 FRESHET_BRACES_12, {}
#define FRESHET_BRACES_14 FRESHET_BRACES_13, {}
#define FRESHET_BRACES_15 FRESHET_BRACES_14, {}
#define FRESHET_BRACES_16 FRESHET_BRACES_15, {}
#define FRESHET_BRACES_17 FRESHET_BRACES_16, {}
#define FRESHET_BRACES_18 FRESHET_BRACES_17, {}
#define FRESHET_BRACES_19 FRESHET_BRACES_18, {}
#define FRESHET_BRACES_20 FRESHET_BRACES_19, {}
#define FRESHET_BRACES_21 FRESHET_BRACES_20, {}
#define FRESHET_BRACES_22 FRESHET_BRACES_21, {}
#define FRESHET_BRACES_23 FRESHET_BRACES_22, {}
#define FRESHET_BRACES_24 FRESHET_BRACES_23, {}
#define FRESHET_BRACES_25 FRESHET_BRACES_24, {}
#define FRESHET_BRACES_26 FRESHET_BRACES_25, {}
#define FRESHET_BRACES_27 FRESHET_BRACES_26, {}
#define FRESHET_BRACES_28 FRESHET_BRACES_27, {}
#define FRESHET_BRACES_29 FRESHET_BRACES_28, {}
#define FRESHET_BRACES_30 FRESHET_BRACES_29, {}
#define FRESHET_BRACES_31 FRESHET_BRACES_30, {}
#define FRESHET_BRACES_32 FRESHET_BRACES_31, {}
#define FRESHET_BRACES_33 FRESHET_BRACES_32, {}

template <class T, std::size_t N> inline constexpr bool takes_fields = false;
#define FRESHET_TAKES(n) \
  template <class T> inline constexpr bool takes_fields<T, n> = requires { T{FRESHET_BRACES_##n}; };
FRESHET_TAKES(1) FRESHET_TAKES(2) FRESHET_TAKES(3) FRESHET_TAKES(4) FRESHET_TAKES(5)
FRESHET_TAKES(6) FRESHET_TAKES(7) FRESHET_TAKES(8) FRESHET_TAKES(9) FRESHET_TAKES(10)
FRESHET_TAKES(11) FRESHET_TAKES(12) FRESHET_TAKES(13) FRESHET_TAKES(14) FRESHET_TAKES(15)
FRESHET_TAKES(16) FRESHET_TAKES(17) FRESHET_TAKES(18) FRESHET_TAKES(19) FRESHET_TAKES(20)
FRESHET_TAKES(21) FRESHET_TAKES(22) FRESHET_TAKES(23) FRESHET_TAKES(24) FRESHET_TAKES(25)
FRESHET_TAKES(26) FRESHET_TAKES(27) FRESHET_TAKES(28) FRESHET_TAKES(29) FRESHET_TAKES(30)
FRESHET_TAKES(31) FRESHET_TAKES(32) FRESHET_TAKES(33)
#undef FRESHET_TAKES
#undef FRESHET_BRACES_1
#undef FRESHET_BRACES_2
#undef FRESHET_BRACES_3
#undef FRESHET_BRACES_4
#undef FRESHET_BRACES_5
#undef FRESHET_BRACES_6
#undef FRESHET_BRACES_7
#undef FRESHET_BRACES_8
#undef FRESHET_BRACES_9
#undef FRESHET_BRACES_10
#undef FRESHET_BRACES_11
#undef FRESHET_BRACES_12
#undef FRESHET_BRACES_13
#undef FRESHET_BRACES_14
#undef FRESHET_BRACES_15
#undef FRESHET_BRACES_16
#undef FRESHET_BRACES_17
#undef FRESHET_BRACES_18
#undef FRESHET_BRACES_19
#undef FRESHET_BRACES_20
#undef FRESHET_BRACES_21
#undef FRESHET_BRACES_22
#undef FRESHET_BRACES_23
#undef FRESHET_BRACES_24
#undef FRESHET_BRACES_25
#undef FRESHET_BRACES_26
#undef FRESHET_BRACES_27
#undef FRESHET_BRACES_28
#undef FRESHET_BRACES_29
#undef FRESHET_BRACES_30
#undef FRESHET_BRACES_31
#undef FRESHET_BRACES_32
#undef FRESHET_BRACES_33

template <std::size_t N> struct FieldVisitor;
template <> struct FieldVisitor<0> {
  template <class T, class F>
  [[gnu::always_inline]] static constexpr decltype(auto) visit(T&, F&& call) { return call(); }
};
#define FRESHET_FIELDS(n, ...) \
  template <> struct FieldVisitor<n> { \
    template <class T, class F> \
    [[gnu::always_inline]] static constexpr decltype(auto) visit(T& record, F&& call) { \
      auto& [__VA_ARGS__] = record; \
      return call(__VA_ARGS__); \
    } \
  };
FRESHET_FIELDS(1, f1)
FRESHET_FIELDS(2, f1, f2)
FRESHET_FIELDS(3, f1, f2, f3)
FRESHET_FIELDS(4, f1, f2, f3, f4)
FRESHET_FIELDS(5, f1, f2, f3, f4, f5)
FRESHET_FIELDS(6, f1, f2, f3, f4, f5, f6)
FRESHET_FIELDS(7, f1, f2, f3, f4, f5, f6, f7)
FRESHET_FIELDS(8, f1, f2, f3, f4, f5, f6, f7, f8)
FRESHET_FIELDS(9, f1, f2, f3, f4, f5, f6, f7, f8, f9)
FRESHET_FIELDS(10, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10)
FRESHET_FIELDS(11, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11)
FRESHET_FIELDS(12, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12)
FRESHET_FIELDS(13, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13)
FRESHET_FIELDS(14, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14)
FRESHET_FIELDS(15, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15)
FRESHET_FIELDS(16, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16)
FRESHET_FIELDS(17, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17)
FRESHET_FIELDS(18, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18)
FRESHET_FIELDS(19, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19)
FRESHET_FIELDS(20, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20)
FRESHET_FIELDS(21, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21)
FRESHET_FIELDS(22, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22)
FRESHET_FIELDS(23, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23)
FRESHET_FIELDS(24, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24)
FRESHET_FIELDS(25, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24, f25)
FRESHET_FIELDS(26, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24, f25, f26)
FRESHET_FIELDS(27, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24, f25, f26, f27)
FRESHET_FIELDS(28, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28)
FRESHET_FIELDS(29, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29)
FRESHET_FIELDS(30, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30)
FRESHET_FIELDS(31, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31)
FRESHET_FIELDS(32, f1, f2, f3, f4, f5, f6, f7, f8, f9, f10, f11, f12, f13, f14, f15, f16, f17,
    f18, f19, f20, f21, f22, f23, f24, f25, f26, f27, f28, f29, f30, f31, f32)
#undef FRESHET_FIELDS
// clang-format on

template <class T, std::size_t N = 0>
constexpr std::size_t count_fields() {
  if constexpr (N > kMaxFields) {
    return N;
  } else if constexpr (takes_fields<T, N + 1>) {
    return count_fields<T, N + 1>();
  } else {
    return N;
  }
}

// kMaxFields + 1 stands for "more than that".
template <class T>
inline constexpr std::size_t field_count = count_fields<T>();

// Converts to proper bases of T only: T{BaseOf<T>{}} compiles where T's first part is a base.
template <class T>
struct BaseOf {
  template <class B>
  requires(std::is_base_of_v<B, T> && !std::is_same_v<B, T>) operator B() const;
};

template <class T>
concept HasBase = requires(BaseOf<T> base) {
  T{base};
};

template <class T>
concept AggregateClass = std::is_class_v<T> && std::is_aggregate_v<T> && !std::is_const_v<T>;

// An aggregate whose fields can be visited.
template <class T>
concept Visitable = AggregateClass<T> && std::is_default_constructible_v<T> && !HasBase<T> &&
                    field_count<T> <= kMaxFields;

// call(field1, field2, ...), each an lvalue, const if the record is.
template <class T, class F>
[[gnu::always_inline]] constexpr decltype(auto) visit_fields(T& record, F&& call) {
  return FieldVisitor<field_count<std::remove_const_t<T>>>::visit(record, static_cast<F&&>(call));
}

struct CollectTypes {
  template <class... T>
  constexpr TypeList<T...> operator()(T&...) const {
    return {};
  }
};

// TypeList of the fields' types; arrays stay arrays, const stays const.
template <class T>
using FieldTypes = decltype(visit_fields(std::declval<T&>(), CollectTypes{}));

}  // namespace freshet::detail
