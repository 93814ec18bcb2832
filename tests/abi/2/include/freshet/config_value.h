// How a setting's value is written as text: ConfigValue<T>, for each T that an option may hold.
//
//   parse(text, value)  true and the value, or false; the whole text must be the value. Never
//                       throws.
//   format(value)       text that parse() reads back as an equal value. What parse() refuses in any
//                       form (a negative duration, a NaN) is formatted too, and then refused.
//   type()              one or two words for people: 'int', 'list of string'
//   expected()          the end of the sentence "expected ..."
//
// Blanks around a value do not count, except in a string. Names (booleans, enums, units) may be in
// upper or lower case. An integer is decimal, without separators. A duration is a whole number with
// a unit (ns, us, ms, s, min, h, d); only 0 needs none. A memory size is a whole number with an
// optional unit of 1024 (b, kb, mb, gb, tb). A list is 'a,b', a map 'key:value,key:value'; an item
// that holds a separator, a quote or outer blanks stands in single quotes, a quote within doubled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "freshet/api.h"
#include "freshet/duration.h"
#include "freshet/memory_size.h"

namespace freshet {

template <class E>
struct EnumName {
  E value;
  const char* name;
};

// Specialise it for an enum that options hold; names in lower case, no two alike:
//   template <> struct EnumNames<Color> {
//     static constexpr EnumName<Color> kNames[] = {{Color::kRed, "red"}, {Color::kBlue, "blue"}};
//   };
template <class E>
struct EnumNames;

template <class T>
struct ConfigValue {
  static_assert(!sizeof(T),
                "a ConfigOption holds bool, int32_t, int64_t, double, std::string, Duration, "
                "MemorySize, an enum with EnumNames, a std::vector of these, or "
                "std::map<std::string, std::string>");
};

template <>
struct FRESHET_API ConfigValue<bool> {
  static bool parse(std::string_view text, bool& value);
  static std::string format(bool value);
  static std::string type() { return "bool"; }
  static std::string expected() { return "true or false"; }
};

template <>
struct FRESHET_API ConfigValue<std::int32_t> {
  static bool parse(std::string_view text, std::int32_t& value);
  static std::string format(std::int32_t value);
  static std::string type() { return "int"; }
  static std::string expected() { return "an integer of 32 bits"; }
};

template <>
struct FRESHET_API ConfigValue<std::int64_t> {
  static bool parse(std::string_view text, std::int64_t& value);
  static std::string format(std::int64_t value);
  static std::string type() { return "long"; }
  static std::string expected() { return "an integer of 64 bits"; }
};

template <>
struct FRESHET_API ConfigValue<double> {
  static bool parse(std::string_view text, double& value);
  static std::string format(double value);
  static std::string type() { return "double"; }
  static std::string expected() { return "a finite number such as '0.5'"; }
};

template <>
struct FRESHET_API ConfigValue<std::string> {
  static bool parse(std::string_view text, std::string& value);
  static std::string format(const std::string& value) { return value; }
  static std::string type() { return "string"; }
  static std::string expected() { return "text"; }
};

template <>
struct FRESHET_API ConfigValue<Duration> {
  static bool parse(std::string_view text, Duration& value);
  static std::string format(Duration value);
  static std::string type() { return "duration"; }
  static std::string expected() {
    return "a duration with its unit (ns, us, ms, s, min, h, d) such as '10 s'";
  }
};

template <>
struct FRESHET_API ConfigValue<MemorySize> {
  static bool parse(std::string_view text, MemorySize& value);
  static std::string format(MemorySize value);
  static std::string type() { return "memory size"; }
  static std::string expected() { return "a memory size (b, kb, mb, gb, tb) such as '32 kb'"; }
};

template <>
struct FRESHET_API ConfigValue<std::map<std::string, std::string>> {
  using Map = std::map<std::string, std::string>;
  static bool parse(std::string_view text, Map& value);  // refuses a key given twice
  static std::string format(const Map& value);
  static std::string type() { return "map"; }
  static std::string expected() { return "a map such as 'key:value,key:value'"; }
};

namespace detail {
FRESHET_API bool split_list(std::string_view text, std::vector<std::string>& items);
FRESHET_API std::string join_list(const std::vector<std::string>& items);
// The place of the name that `text` is, or -1.
FRESHET_API std::ptrdiff_t find_enum_name(std::string_view text, const char* const* names,
                                          std::size_t count);
}  // namespace detail

template <class E>
requires std::is_enum_v<E>
struct ConfigValue<E> {
  static bool parse(std::string_view text, E& value) {
    const char* names[std::size(EnumNames<E>::kNames)];
    std::size_t count = 0;
    for (const auto& each : EnumNames<E>::kNames) names[count++] = each.name;
    const std::ptrdiff_t found = detail::find_enum_name(text, names, count);
    if (found < 0) return false;
    value = EnumNames<E>::kNames[found].value;
    return true;
  }
  static std::string format(E value) {
    for (const auto& each : EnumNames<E>::kNames)
      if (each.value == value) return each.name;
    return "(" + std::to_string(static_cast<std::int64_t>(value)) + ")";
  }
  static std::string type() { return "enum"; }
  static std::string expected() {
    std::string text = "one of";
    for (const auto& each : EnumNames<E>::kNames) {
      text += text.back() == 'f' && text.size() == 6 ? " " : ", ";
      text += each.name;
    }
    return text;
  }
};

template <class T>
struct ConfigValue<std::vector<T>> {
  static bool parse(std::string_view text, std::vector<T>& value) {
    std::vector<std::string> items;
    if (!detail::split_list(text, items)) return false;
    value.clear();
    for (const std::string& item : items) {
      T each{};
      if (!ConfigValue<T>::parse(item, each)) return false;
      value.push_back(std::move(each));
    }
    return true;
  }
  static std::string format(const std::vector<T>& value) {
    std::vector<std::string> items;
    items.reserve(value.size());
    for (const auto& each : value) items.push_back(ConfigValue<T>::format(each));
    return detail::join_list(items);
  }
  static std::string type() { return "list of " + ConfigValue<T>::type(); }
  static std::string expected() { return "a list 'item,item', each " + ConfigValue<T>::expected(); }
};

}  // namespace freshet
