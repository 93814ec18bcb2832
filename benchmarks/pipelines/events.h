// The 48-byte events of the chain benchmarks, made by hand loop and job alike.
#pragma once

#include <cstdint>

struct Event {
  std::int64_t kind, auction, bidder, price, time, extra;
};
static_assert(sizeof(Event) == 48);

struct Row {
  std::int64_t auction, price;
};

inline Event make_event(std::uint64_t i) {
  std::uint64_t r = i * 0x9E3779B97F4A7C15ull;
  r ^= r >> 29;
  r *= 0xBF58476D1CE4E5B9ull;
  r ^= r >> 32;
  return {i % 50 < 46 ? 2 : 1,
          static_cast<std::int64_t>(1000 + (r & 0xffff)),
          static_cast<std::int64_t>(r >> 20 & 0xfffff),
          static_cast<std::int64_t>(r >> 40),
          static_cast<std::int64_t>(i / 10),
          static_cast<std::int64_t>(r)};
}

// Takes in every field and the timestamp.
struct Checksum {
  std::uint64_t count = 0, sum = 0, time = 0;

  void add(const Event& e, std::int64_t timestamp) {
    ++count;
    sum += static_cast<std::uint64_t>(e.kind ^ e.auction ^ e.bidder ^ e.price ^ e.time ^ e.extra);
    time += static_cast<std::uint64_t>(timestamp);
  }
  void add(const Row& row, std::int64_t timestamp) {
    ++count;
    sum += static_cast<std::uint64_t>(row.auction ^ row.price);
    time += static_cast<std::uint64_t>(timestamp);
  }
};
