// The names that a class gives its fields: for people, and to compare what two modules call the
// same bytes. They are what the compiler says of a pointer to each field; one that says nothing
// leaves them empty.
#pragma once

#include <cstddef>
#include <string_view>
#include <tuple>
#include <utility>

#include "freshet/serde/fields.h"

namespace freshet::detail {

#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wundefined-var-template"
#pragma clang diagnostic ignored "-Wundefined-internal"
#endif

// Only addresses in it are spoken of, by the compiler.
template <class T>
struct NeverMade {
  T value;
};
template <class T>
extern NeverMade<T> never_made;

struct AddressesOf {
  template <class... F>
  constexpr auto operator()(F&... fields) const {
    return std::make_tuple(__builtin_addressof(fields)...);
  }
};

// clang 14 takes a pointer to a field as an argument of a template only inside a class.
template <class Pointer>
struct FieldPointer {
  Pointer to;
};

template <class Pointer>
FieldPointer(Pointer) -> FieldPointer<Pointer>;

// "... Visit::page)}]" by gcc, "... never_made.value.page}]" by clang.
template <auto Field>
constexpr const char* pretty_field() {
  return __PRETTY_FUNCTION__;
}

constexpr bool is_in_a_name(char c) {
  return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

constexpr std::string_view name_at_the_end(std::string_view pretty) {
  while (!pretty.empty() && !is_in_a_name(pretty.back())) pretty.remove_suffix(1);
  std::size_t begin = pretty.size();
  while (begin > 0 && is_in_a_name(pretty[begin - 1])) --begin;
  return pretty.substr(begin);
}

template <class T, std::size_t I>
consteval std::string_view field_name() {
  return name_at_the_end(
      pretty_field<FieldPointer{std::get<I>(visit_fields(never_made<T>.value, AddressesOf{}))}>());
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

}  // namespace freshet::detail
