#include "generator.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace nexmark {

namespace {

constexpr std::int64_t kHotEvery = 100;  // each hundredth person or auction is the hot one
constexpr std::int64_t kAuctionsInFlight = 100;
constexpr std::int64_t kActivePeople = 1'000;
constexpr std::int64_t kIdsAhead = 10;
constexpr std::size_t kPersonBytes = 200;
constexpr std::size_t kAuctionBytes = 500;
constexpr std::size_t kBidBytes = 100;

constexpr std::array kFirstNames = {"Peter", "Paul",  "Luke",  "John",   "Saul",  "Vicky",
                                    "Kate",  "Julie", "Sarah", "Deiter", "Walter"};
constexpr std::array kLastNames = {"Shultz", "Abrams", "Spencer", "White", "Bartels",
                                   "Walton", "Smith",  "Jones",   "Noris"};
constexpr std::array kCities = {"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland",
                                "Bend",    "Redmond",     "Seattle",       "Kent",  "Cheyenne"};
constexpr std::array kStates = {"AZ", "CA", "ID", "OR", "WA", "WY"};
constexpr std::array kHotChannels = {"Google", "Facebook", "Baidu", "Apple"};
constexpr std::int64_t kOtherChannels = 10'000;

template <std::size_t N>
std::string one_of(const std::array<const char*, N>& texts, Random& random) {
  return texts[static_cast<std::size_t>(random.below(N))];
}

std::string letters(std::size_t length, Random& random) {
  std::string text(length, ' ');
  for (char& letter : text) letter = static_cast<char>('a' + random.below(26));
  return text;
}

// Brings an event of `bytes` bytes to about `wanted`, a fifth more or less.
std::string padding(std::size_t bytes, std::size_t wanted, Random& random) {
  if (bytes >= wanted) return {};
  const std::size_t missing = wanted - bytes;
  const std::size_t fifth = missing / 5;
  const auto spread = static_cast<std::int64_t>(2 * fifth + 1);
  return letters(missing - fifth + static_cast<std::size_t>(random.below(spread)), random);
}

std::int64_t price(Random& random) {
  return std::llround(std::pow(10.0, 6 * random.uniform()) * 100);
}

std::int64_t hundred_of(std::int64_t id) { return id / kHotEvery * kHotEvery; }

// One of the last `recent` ids, or one of the next few.
std::int64_t near(std::int64_t last, std::int64_t recent, Random& random) {
  const std::int64_t first = std::max(kFirstId, last - recent + 1);
  return first + random.below(last + kIdsAhead - first + 1);
}

Person person(std::uint64_t n, Random& random) {
  Person made{};
  made.id = Generator::last_person(n);
  // One draw a statement: operands of + are evaluated in an order that compilers choose.
  made.name = one_of(kFirstNames, random);
  made.name += " " + one_of(kLastNames, random);
  made.email_address = letters(7, random);
  made.email_address += "@" + letters(5, random) + ".com";
  for (int group = 0; group < 4; ++group) {
    made.credit_card += (group == 0 ? "" : " ") + std::to_string(1'000 + random.below(9'000));
  }
  made.city = one_of(kCities, random);
  made.state = one_of(kStates, random);
  made.date_time = Generator::time(n);
  const std::size_t bytes = 2 * sizeof(std::int64_t) + made.name.size() +
                            made.email_address.size() + made.credit_card.size() + made.city.size() +
                            made.state.size();
  made.extra = padding(bytes, kPersonBytes, random);
  return made;
}

Auction auction(std::uint64_t n, Random& random) {
  // In ms: twice the time in which as many auctions come as are in flight.
  constexpr std::int64_t kLongest = 2 * kAuctionsInFlight *
                                    static_cast<std::int64_t>(kEventsPerRound) /
                                    static_cast<std::int64_t>(kAuctionsPerRound) / kEventsPerMs;
  Auction made{};
  made.id = Generator::last_auction(n);
  made.item_name = letters(20, random);
  made.description = letters(100, random);
  made.initial_bid = price(random);
  made.reserve = made.initial_bid + price(random);
  made.date_time = Generator::time(n);
  made.expires = made.date_time + 1 + random.below(kLongest);
  const std::int64_t newest = Generator::last_person(n);
  made.seller = random.chance(3, 4) ? hundred_of(newest) : near(newest, kActivePeople, random);
  made.category = 10 + random.below(5);
  const std::size_t bytes =
      7 * sizeof(std::int64_t) + made.item_name.size() + made.description.size();
  made.extra = padding(bytes, kAuctionBytes, random);
  return made;
}

Bid bid(std::uint64_t n, Random& random) {
  Bid made{};
  const std::int64_t auction = Generator::last_auction(n);
  const std::int64_t bidder = Generator::last_person(n);
  made.auction =
      random.chance(1, 2) ? hundred_of(auction) : near(auction, kAuctionsInFlight, random);
  made.bidder = random.chance(3, 4) ? hundred_of(bidder) + 1 : near(bidder, kActivePeople, random);
  made.price = price(random);
  made.channel = random.chance(1, 2) ? one_of(kHotChannels, random)
                                     : "channel-" + std::to_string(random.below(kOtherChannels));
  made.url = "https://nexmark.example/" + letters(5, random) + "/item";
  made.date_time = Generator::time(n);
  const std::size_t bytes = 4 * sizeof(std::int64_t) + made.channel.size() + made.url.size();
  made.extra = padding(bytes, kBidBytes, random);
  return made;
}

}  // namespace

Event Generator::operator()(std::uint64_t n) const {
  Random random(seed_, n);
  const std::uint64_t place = n % kEventsPerRound;
  if (place < kPersonsPerRound) return person(n, random);
  if (place < kPersonsPerRound + kAuctionsPerRound) return auction(n, random);
  return bid(n, random);
}

std::int64_t Generator::last_person(std::uint64_t n) {
  return kFirstId + static_cast<std::int64_t>(n / kEventsPerRound);
}

std::int64_t Generator::last_auction(std::uint64_t n) {
  const std::uint64_t place = n % kEventsPerRound;
  // How many of this round's auctions there are, event n included; at its person none.
  const std::uint64_t of_round = std::min(place, kAuctionsPerRound);
  return kFirstId + static_cast<std::int64_t>(n / kEventsPerRound * kAuctionsPerRound + of_round) -
         1;
}

std::int64_t Generator::time(std::uint64_t n) {
  return kFirstEventTime + static_cast<std::int64_t>(n) / kEventsPerMs;
}

}  // namespace nexmark
