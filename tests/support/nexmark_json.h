// Events of samples/nexmark as JSON Lines, written by another library than the sample reads with.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <variant>

#include "events.h"

namespace freshet::testing {

inline nlohmann::ordered_json fields_of(const nexmark::Person& person) {
  return {{"type", "person"},
          {"id", person.id},
          {"name", person.name},
          {"emailAddress", person.email_address},
          {"creditCard", person.credit_card},
          {"city", person.city},
          {"state", person.state},
          {"dateTime", person.date_time},
          {"extra", person.extra}};
}

inline nlohmann::ordered_json fields_of(const nexmark::Auction& auction) {
  return {{"type", "auction"},
          {"id", auction.id},
          {"itemName", auction.item_name},
          {"description", auction.description},
          {"initialBid", auction.initial_bid},
          {"reserve", auction.reserve},
          {"dateTime", auction.date_time},
          {"expires", auction.expires},
          {"seller", auction.seller},
          {"category", auction.category},
          {"extra", auction.extra}};
}

inline nlohmann::ordered_json fields_of(const nexmark::Bid& bid) {
  return {{"type", "bid"},
          {"auction", bid.auction},
          {"bidder", bid.bidder},
          {"price", bid.price},
          {"channel", bid.channel},
          {"url", bid.url},
          {"dateTime", bid.date_time},
          {"extra", bid.extra}};
}

inline std::string json_line(const nexmark::Event& event) {
  return std::visit([](const auto& any) { return fields_of(any).dump(); }, event) + "\n";
}

}  // namespace freshet::testing
