// What happens on an auction site. Times are ms since the epoch, prices are cents.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

namespace nexmark {

struct Person {
  std::int64_t id;
  std::string name;
  std::string email_address;
  std::string credit_card;
  std::string city;
  std::string state;
  std::int64_t date_time;
  std::string extra;  // pads the event to a size

  bool operator==(const Person&) const = default;
};

struct Auction {
  std::int64_t id;
  std::string item_name;
  std::string description;
  std::int64_t initial_bid;
  std::int64_t reserve;
  std::int64_t date_time;
  std::int64_t expires;
  std::int64_t seller;    // a person
  std::int64_t category;  // 10 to 14
  std::string extra;

  bool operator==(const Auction&) const = default;
};

struct Bid {
  std::int64_t auction;
  std::int64_t bidder;  // a person
  std::int64_t price;
  std::string channel;
  std::string url;
  std::int64_t date_time;
  std::string extra;

  bool operator==(const Bid&) const = default;
};

using Event = std::variant<Person, Auction, Bid>;

// An event of a moment may come this much later than others of that moment.
inline constexpr std::int64_t kOutOfOrdernessMs = 4'000;

inline std::int64_t time_of(const Event& event) {
  return std::visit([](const auto& any) { return any.date_time; }, event);
}

}  // namespace nexmark
