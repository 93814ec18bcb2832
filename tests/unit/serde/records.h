// Record types of every kind, and random values of them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <variant>
#include <vector>

#include "freshet/serde.h"

namespace freshet::testing {

enum class Color : std::uint8_t { kRed, kGreen, kBlue };
enum class Wide : std::int64_t { kLow = INT64_MIN, kHigh = INT64_MAX };

struct Empty {
  bool operator==(const Empty&) const = default;
};

struct Event {  // packed
  std::int64_t kind, auction, bidder, price, time, extra;
  bool operator==(const Event&) const = default;
};

struct Padded {
  std::int64_t a;
  std::int16_t b;
  float c;
  char d;
  bool operator==(const Padded&) const = default;
};

struct Flagged {
  bool yes;
  std::int8_t small;
  bool operator==(const Flagged&) const = default;
};

// The compiler's own variables in the comparison of arrays are laid to the struct's charge:
// NOLINTNEXTLINE(bugprone-reserved-identifier,readability-identifier-naming)
struct Arrays {
  std::int32_t numbers[3];
  char name[5];
  std::string texts[2];
  Padded padded[2];
  std::array<Event, 2> events;
  bool operator==(const Arrays&) const = default;
};

// A class with a Serde of its own, of a version.
class Money {
 public:
  Money() = default;
  explicit Money(std::int64_t cents) : cents_(cents) {}
  std::int64_t cents() const { return cents_; }
  bool operator==(const Money&) const = default;

 private:
  std::int64_t cents_ = 0;
};

// A trivially copyable class that opted in.
class Ticket {
 public:
  Ticket() = default;
  explicit Ticket(std::uint64_t number) : number_(number) {}
  bool operator==(const Ticket&) const = default;

 private:
  std::uint64_t number_ = 0;
};

struct Everything {
  std::string text;
  Event event;
  Color color;
  Wide wide;
  bool flag;
  double number;
  Empty empty;
  Arrays arrays;
  Money money;
  Ticket ticket;
  std::pair<std::string, std::int32_t> pair;
  std::tuple<char, float, std::vector<std::uint16_t>> tuple;
  std::optional<std::vector<std::string>> optional;
  std::variant<std::int32_t, std::string, Empty, Padded> variant;
  std::vector<Event> events;
  std::vector<bool> bits;
  std::deque<Flagged> flags;
  std::list<std::string> list;
  std::map<std::string, std::vector<Money>> map;
  std::unordered_map<std::int32_t, std::string> hashed;
  std::set<std::string> set;
  std::unordered_set<std::uint64_t> hashed_set;
  std::vector<std::vector<std::optional<std::pair<std::int32_t, std::string>>>> deep;
  bool operator==(const Everything&) const = default;
};

using Random = std::mt19937_64;

template <class T>
T random_value(Random& random);

template <class T>
void randomize(Random& random, T& value) {
  constexpr auto shape = detail::shape_v<T>;
  using detail::Shape;
  const auto few = [&random] { return random() % 4 == 0 ? random() % 40 : random() % 4; };
  if constexpr (std::is_same_v<T, bool>) {
    value = random() % 2 == 0;
  } else if constexpr (std::is_same_v<T, Money>) {
    value = Money(static_cast<std::int64_t>(random()));
  } else if constexpr (std::is_same_v<T, Ticket>) {
    value = Ticket(random());
  } else if constexpr (std::is_floating_point_v<T>) {
    value = static_cast<T>(static_cast<double>(random()) / 3e9);
  } else if constexpr (shape == Shape::kScalar) {
    value = static_cast<T>(random() >> random() % 64);
  } else if constexpr (shape == Shape::kString) {
    value.resize(few());
    for (char& c : value) c = static_cast<char>(random());
  } else if constexpr (shape == Shape::kArray) {
    for (auto& element : value) randomize(random, element);
  } else if constexpr (shape == Shape::kTuple) {
    std::apply([&](auto&... part) { (randomize(random, part), ...); }, value);
  } else if constexpr (shape == Shape::kSequence) {
    value.clear();
    for (auto n = few(); n != 0; --n) value.push_back(random_value<typename T::value_type>(random));
  } else if constexpr (shape == Shape::kSet) {
    for (auto n = few(); n != 0; --n) value.insert(random_value<typename T::value_type>(random));
  } else if constexpr (shape == Shape::kMap) {
    for (auto n = few(); n != 0; --n) {
      value.emplace(random_value<typename T::key_type>(random),
                    random_value<typename T::mapped_type>(random));
    }
  } else if constexpr (shape == Shape::kOptional) {
    value.reset();
    if (random() % 2 == 0) value = random_value<typename T::value_type>(random);
  } else if constexpr (shape == Shape::kVariant) {
    const auto place = random() % std::variant_size_v<T>;
    [&]<std::size_t... I>(std::index_sequence<I...>) {
      ((place == I
            ? (value.template emplace<I>(random_value<std::variant_alternative_t<I, T>>(random)), 0)
            : 0),
       ...);
    }
    (std::make_index_sequence<std::variant_size_v<T>>{});
  } else {
    detail::visit_fields(value, [&](auto&... field) { (randomize(random, field), ...); });
  }
}

template <class T>
T random_value(Random& random) {
  T value{};
  randomize(random, value);
  return value;
}

}  // namespace freshet::testing

template <>
inline constexpr bool freshet::trivially_serializable<freshet::testing::Ticket> = true;

template <>
struct freshet::Serde<freshet::testing::Money> {
  static void write(ByteWriter& writer, const testing::Money& money) {
    writer.write_varint(static_cast<std::uint64_t>(money.cents()));
  }
  static testing::Money read(ByteReader& reader) {
    return testing::Money(static_cast<std::int64_t>(reader.read_varint("Money")));
  }
  static void describe(SchemaBuilder& builder) {
    builder.record("Money", 2).field<std::int64_t>("cents");
  }
};
