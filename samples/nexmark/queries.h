// The queries: streams of events in, streams of rows out. The columns of a row are its tuple's.
#pragma once

#include <freshet/data_stream.h>

#include <cstdint>
#include <string>
#include <tuple>

#include "events.h"

namespace nexmark {

// Event time is when it happened. (The type of a stream knows its operators, so that they become
// one loop; `auto` and templates keep that.)
auto bids_of(const auto& events) {
  return events.assign_timestamps(time_of, kOutOfOrdernessMs)
      .name("event time")
      .template flat_map<Bid>([](const Event& event, auto& out) {
        if (const Bid* bid = std::get_if<Bid>(&event)) out(*bid);
      })
      .name("bids");
}

// Every bid as it is.
auto q0(const auto& events) {
  return bids_of(events).map([](const Bid& bid) {
    return std::tuple(bid.auction, bid.bidder, bid.price, bid.channel, bid.url, bid.date_time,
                      bid.extra);
  });
}

// Cents times 0.908, with exactly three decimals.
inline std::string in_euros(std::int64_t price) {
  const std::int64_t thousandths = price * 908;
  const std::string decimals = std::to_string(1'000 + thousandths % 1'000);
  return std::to_string(thousandths / 1'000) + "." + decimals.substr(1);
}

// Prices in another currency.
auto q1(const auto& events) {
  return bids_of(events).map([](const Bid& bid) {
    return std::tuple(bid.auction, bid.bidder, in_euros(bid.price), bid.date_time);
  });
}

// Bids on certain auctions.
auto q2(const auto& events) {
  return bids_of(events)
      .filter([](const Bid& bid) { return bid.auction % 123 == 0; })
      .map([](const Bid& bid) { return std::tuple(bid.auction, bid.price); });
}

}  // namespace nexmark
