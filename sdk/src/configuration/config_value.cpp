#include "freshet/config_value.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

namespace freshet {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool same_name(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(a[i])) !=
        std::tolower(static_cast<unsigned char>(b[i])))
      return false;
  return true;
}

template <class Number>
bool parse_number(std::string_view text, Number& value) {
  text = trimmed(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

struct Unit {
  const char* name;
  std::int64_t size;
};

// From large to small; of names for the same size the first is the one that is written.
constexpr Unit kTimeUnits[] = {{"d", 86'400'000'000'000},
                               {"h", 3'600'000'000'000},
                               {"min", 60'000'000'000},
                               {"s", 1'000'000'000},
                               {"ms", 1'000'000},
                               {"us", 1'000},
                               {"ns", 1}};
constexpr Unit kMemoryUnits[] = {{"tb", std::int64_t{1} << 40},
                                 {"tib", std::int64_t{1} << 40},
                                 {"t", std::int64_t{1} << 40},
                                 {"gb", std::int64_t{1} << 30},
                                 {"gib", std::int64_t{1} << 30},
                                 {"g", std::int64_t{1} << 30},
                                 {"mb", std::int64_t{1} << 20},
                                 {"mib", std::int64_t{1} << 20},
                                 {"m", std::int64_t{1} << 20},
                                 {"kb", std::int64_t{1} << 10},
                                 {"kib", std::int64_t{1} << 10},
                                 {"k", std::int64_t{1} << 10},
                                 {"b", 1}};

// A whole number and a unit. Without a unit `bare_unit` counts; 0 stands for "0 or refused".
template <class Number, std::size_t N>
bool parse_amount(std::string_view text, const Unit (&units)[N], Number bare_unit, Number& amount) {
  text = trimmed(text);
  Number count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || count < 0) return false;
  const std::string_view unit = trimmed(text.substr(static_cast<std::size_t>(end - text.data())));
  Number size = 0;
  if (unit.empty()) {
    if (bare_unit == 0 && count != 0) return false;
    size = bare_unit;
  } else {
    for (const Unit& each : units)
      if (same_name(unit, each.name)) size = static_cast<Number>(each.size);
    if (size == 0) return false;
  }
  return !__builtin_mul_overflow(count, size, &amount);
}

template <class Number, std::size_t N>
std::string format_amount(Number amount, const Unit (&units)[N]) {
  for (const Unit& each : units) {
    const auto size = static_cast<Number>(each.size);
    if (amount != 0 && amount % size == 0) return std::to_string(amount / size) + " " + each.name;
  }
  return "0";
}

// Reads the items of a list or map from the left.
class Items {
 public:
  explicit Items(std::string_view text) : rest_(trimmed(text)) {}

  bool at_end() const { return rest_.empty(); }
  bool failed() const { return failed_; }

  // Up to a separator or the end; the separator is left standing.
  std::string next(std::string_view separators, bool may_be_empty) {
    skip_blanks();
    std::string item;
    if (!rest_.empty() && rest_.front() == '\'') {
      item = quoted();
      skip_blanks();
      if (!rest_.empty() && separators.find(rest_.front()) == std::string_view::npos)
        failed_ = true;
      return item;
    }
    const std::size_t length = std::min(rest_.find_first_of(separators), rest_.size());
    item = trimmed(rest_.substr(0, length));
    rest_.remove_prefix(length);
    if (item.find('\'') != std::string::npos || (item.empty() && !may_be_empty)) failed_ = true;
    return item;
  }

  bool take(char separator) {
    if (rest_.empty() || rest_.front() != separator) return false;
    rest_.remove_prefix(1);
    return true;
  }

 private:
  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  std::string quoted() {
    std::string item;
    rest_.remove_prefix(1);
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c != '\'') {
        item += c;
      } else if (!take('\'')) {
        return item;
      } else {
        item += '\'';
      }
    }
    failed_ = true;  // no closing quote
    return item;
  }

  std::string_view rest_;
  bool failed_ = false;
};

std::string quoted_if_needed(const std::string& item, const char* separators) {
  if (!item.empty() && trimmed(item).size() == item.size() &&
      item.find_first_of(separators) == std::string::npos && item.find('\'') == std::string::npos)
    return item;
  std::string text = "'";
  for (const char c : item) text += c == '\'' ? "''" : std::string(1, c);
  return text + "'";
}

}  // namespace

bool ConfigValue<bool>::parse(std::string_view text, bool& value) {
  text = trimmed(text);
  value = same_name(text, "true");
  return value || same_name(text, "false");
}

std::string ConfigValue<bool>::format(bool value) { return value ? "true" : "false"; }

bool ConfigValue<std::int32_t>::parse(std::string_view text, std::int32_t& value) {
  return parse_number(text, value);
}

std::string ConfigValue<std::int32_t>::format(std::int32_t value) { return std::to_string(value); }

bool ConfigValue<std::int64_t>::parse(std::string_view text, std::int64_t& value) {
  return parse_number(text, value);
}

std::string ConfigValue<std::int64_t>::format(std::int64_t value) { return std::to_string(value); }

bool ConfigValue<double>::parse(std::string_view text, double& value) {
  return parse_number(text, value) && std::isfinite(value);
}

std::string ConfigValue<double>::format(double value) {
  char text[32];  // the shortest form that reads back equal needs 24
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return std::string(text, end);
}

bool ConfigValue<std::string>::parse(std::string_view text, std::string& value) {
  value = text;
  return true;
}

bool ConfigValue<Duration>::parse(std::string_view text, Duration& value) {
  std::int64_t ns = 0;
  if (!parse_amount<std::int64_t>(text, kTimeUnits, 0, ns)) return false;
  value = Duration(ns);
  return true;
}

std::string ConfigValue<Duration>::format(Duration value) {
  return value.ns() == 0 ? "0 ms" : format_amount(value.ns(), kTimeUnits);
}

bool ConfigValue<MemorySize>::parse(std::string_view text, MemorySize& value) {
  std::uint64_t bytes = 0;
  if (!parse_amount<std::uint64_t>(text, kMemoryUnits, 1, bytes)) return false;
  value = MemorySize(bytes);
  return true;
}

std::string ConfigValue<MemorySize>::format(MemorySize value) {
  return value.bytes() == 0 ? "0 b" : format_amount(value.bytes(), kMemoryUnits);
}

bool ConfigValue<std::map<std::string, std::string>>::parse(std::string_view text, Map& value) {
  value.clear();
  Items items(text);
  while (!items.at_end()) {
    std::string key = items.next(":,", false);
    if (items.failed() || !items.take(':')) return false;
    std::string item = items.next(",", true);
    if (items.failed() || !value.emplace(std::move(key), std::move(item)).second) return false;
    if (!items.at_end() && (!items.take(',') || items.at_end())) return false;
  }
  return true;
}

std::string ConfigValue<std::map<std::string, std::string>>::format(const Map& value) {
  std::string text;
  for (const auto& [key, item] : value) {
    if (!text.empty()) text += ',';
    text += quoted_if_needed(key, ":,") + ':' + quoted_if_needed(item, ",");
  }
  return text;
}

bool detail::split_list(std::string_view text, std::vector<std::string>& parts) {
  parts.clear();
  Items items(text);
  while (!items.at_end()) {
    parts.push_back(items.next(",", false));
    if (items.failed()) return false;
    if (!items.at_end() && (!items.take(',') || items.at_end())) return false;
  }
  return true;
}

std::string detail::join_list(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) {
    if (!text.empty()) text += ',';
    text += quoted_if_needed(item, ",");
  }
  return text;
}

std::ptrdiff_t detail::find_enum_name(std::string_view text, const char* const* names,
                                      std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    if (same_name(trimmed(text), names[i])) return static_cast<std::ptrdiff_t>(i);
  return -1;
}

}  // namespace freshet
