// Records as lines of text, for print() and write_text(): numbers, strings, enums as numbers,
// pairs and tuples with tabs between their parts, optionals, ranges. Another type gets its text by
// a function `std::string to_text(const T&)` beside it, found by its namespace.
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "freshet/api.h"

namespace freshet {

namespace detail {
FRESHET_API void append_number(std::string& to, long long value);
FRESHET_API void append_number(std::string& to, unsigned long long value);
// The shortest text that reads back as the same number of the same type, whatever the locale.
FRESHET_API void append_number(std::string& to, float value);
FRESHET_API void append_number(std::string& to, double value);
FRESHET_API void append_number(std::string& to, long double value);

template <class T>
concept HasToText = requires(const T& v) {
  { to_text(v) } -> std::convertible_to<std::string_view>;
};
template <class T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};
template <class T>
concept Range = requires(const T& v) {
  v.begin();
  v.end();
};
}  // namespace detail

template <class T>
constexpr bool is_text_v = [] {
  if constexpr (detail::HasToText<T> || std::is_arithmetic_v<T> || std::is_enum_v<T> ||
                std::is_convertible_v<const T&, std::string_view>) {
    return true;
  } else if constexpr (detail::TupleLike<T>) {
    return []<std::size_t... I>(std::index_sequence<I...>) {
      return (is_text_v<std::remove_cvref_t<std::tuple_element_t<I, T>>> && ...);
    }
    (std::make_index_sequence<std::tuple_size_v<T>>{});
  } else if constexpr (requires(const T& v) {
                         v.has_value();
                         *v;
                       }) {
    return is_text_v<std::remove_cvref_t<decltype(*std::declval<const T&>())>>;
  } else if constexpr (detail::Range<T>) {
    return is_text_v<std::remove_cvref_t<decltype(*std::declval<const T&>().begin())>>;
  } else {
    return false;
  }
}();

template <class T>
void append_text(std::string& to, const T& value) {
  if constexpr (detail::HasToText<T>) {
    to.append(std::string_view(to_text(value)));
  } else if constexpr (std::is_same_v<T, bool>) {
    to.append(value ? "true" : "false");
  } else if constexpr (std::is_same_v<T, char>) {
    to.push_back(value);
  } else if constexpr (std::is_floating_point_v<T>) {
    detail::append_number(to, value);
  } else if constexpr (std::is_enum_v<T>) {
    append_text(to, static_cast<std::underlying_type_t<T>>(value));
  } else if constexpr (std::is_integral_v<T>) {
    if constexpr (std::is_signed_v<T>) {
      detail::append_number(to, static_cast<long long>(value));
    } else {
      detail::append_number(to, static_cast<unsigned long long>(value));
    }
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    to.append(std::string_view(value));
  } else if constexpr (detail::TupleLike<T>) {
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      using std::get;
      ((I ? to.push_back('\t') : void(), append_text(to, get<I>(value))), ...);
    }
    (std::make_index_sequence<std::tuple_size_v<T>>{});
  } else if constexpr (requires { value.has_value(); }) {
    if (value.has_value()) append_text(to, *value);
  } else {
    static_assert(detail::Range<T>,
                  "freshet: this record has no text: define std::string to_text(const Record&) in "
                  "the record's namespace");
    bool first = true;
    for (const auto& item : value) {
      if (!first) to.push_back(' ');
      append_text(to, item);
      first = false;
    }
  }
}

}  // namespace freshet
