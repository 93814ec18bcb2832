// Event number n of the auction site: the same seed and number give the same event, whoever asks,
// in whatever order. Of every 50 events one is a person, three are auctions, the others bids.
#pragma once

#include <cstdint>
#include <string_view>

#include "events.h"

namespace nexmark {

inline constexpr std::uint64_t kEventsPerRound = 50;
inline constexpr std::uint64_t kPersonsPerRound = 1;
inline constexpr std::uint64_t kAuctionsPerRound = 3;

inline constexpr std::int64_t kFirstId = 1'000;                     // of persons and of auctions
inline constexpr std::int64_t kFirstEventTime = 1'436'918'400'000;  // 2015-07-15, midnight UTC
inline constexpr std::int64_t kEventsPerMs = 10;                    // in event time

// Random numbers that depend on the event alone (SplitMix64).
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t event) : state_(mix(seed) ^ mix(~event)) {}

  std::uint64_t next() { return mix(state_ += 0x9e3779b97f4a7c15); }
  // 0 to n - 1.
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(n));
  }
  bool chance(std::int64_t times, std::int64_t in) { return below(in) < times; }
  // At least 0, less than 1.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

 private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return x ^ (x >> 31);
  }

  std::uint64_t state_;
};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : seed_(seed) {}

  Event operator()(std::uint64_t n) const;

  // The newest person and auction when event n happens.
  static std::int64_t last_person(std::uint64_t n);
  static std::int64_t last_auction(std::uint64_t n);
  static std::int64_t time(std::uint64_t n);

 private:
  std::uint64_t seed_;
};

}  // namespace nexmark
