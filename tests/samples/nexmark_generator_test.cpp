// The events of samples/nexmark: shared/design's proportions, hot items, ranges and sizes.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>

#include "generator.h"
#include "nexmark_json.h"

namespace {

using namespace nexmark;

constexpr std::uint64_t kEvents = 200'000;

std::int64_t hundred_of(std::int64_t id) { return id / 100 * 100; }

TEST(NexmarkGenerator, MakesTheSameEventForTheSameSeedAndNumber) {
  const Generator forward(42), backward(42), other(43);
  std::vector<Event> events;
  for (std::uint64_t n = 0; n < 1'000; ++n) events.push_back(forward(n));
  std::size_t different = 0;
  for (std::uint64_t n = 1'000; n-- > 0;) {
    EXPECT_EQ(backward(n), events[n]);
    different += other(n) == events[n] ? 0 : 1;
  }
  EXPECT_EQ(different, 1'000U);
}

// Written down once: rows of old runs stay comparable.
TEST(NexmarkGenerator, KeepsItsEventsFromReleaseToRelease) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;  // FNV-1a
  for (std::uint64_t n = 0; n < 5'000; ++n) {
    for (const char byte : freshet::testing::json_line(Generator(1)(n))) {
      hash = (hash ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211U;
    }
  }
  EXPECT_EQ(hash, 18077356187587227631U);
}

TEST(NexmarkGenerator, MakesOnePersonThreeAuctionsAnd46BidsInThatOrder) {
  std::int64_t persons = 1'000, auctions = 1'000;
  for (std::uint64_t n = 0; n < 5'000; ++n) {
    const Event event = Generator(1)(n);
    ASSERT_EQ(event.index(), n % 50 == 0 ? 0U : n % 50 < 4 ? 1U : 2U) << n;
    if (const auto* person = std::get_if<Person>(&event)) {
      EXPECT_EQ(person->id, persons++);
    }
    if (const auto* auction = std::get_if<Auction>(&event)) {
      EXPECT_EQ(auction->id, auctions++);
    }
  }
}

TEST(NexmarkGenerator, MakesItemsAndPeopleHotAsOftenAsItShould) {
  double bids = 0, hot_auction = 0, hot_bidder = 0, hot_channel = 0, auctions = 0, hot_seller = 0;
  const std::set<std::string> hot_channels{"Google", "Facebook", "Baidu", "Apple"};
  for (std::uint64_t n = 0; n < kEvents; ++n) {
    const Event event = Generator(7)(n);
    const std::int64_t person = Generator::last_person(n), auction = Generator::last_auction(n);
    if (const auto* bid = std::get_if<Bid>(&event)) {
      ++bids;
      hot_auction += bid->auction == hundred_of(auction);
      hot_bidder += bid->bidder == hundred_of(person) + 1;
      hot_channel += hot_channels.count(bid->channel) != 0;
      if (bid->auction != hundred_of(auction)) {
        EXPECT_GE(bid->auction, std::max<std::int64_t>(1'000, auction - 99));
        EXPECT_LE(bid->auction, auction + 10);
      }
      if (bid->bidder != hundred_of(person) + 1) {
        EXPECT_GE(bid->bidder, std::max<std::int64_t>(1'000, person - 999));
        EXPECT_LE(bid->bidder, person + 10);
      }
      EXPECT_GE(bid->price, 100);
      EXPECT_LE(bid->price, 100'000'000);
    }
    if (const auto* made = std::get_if<Auction>(&event)) {
      ++auctions;
      hot_seller += made->seller == hundred_of(person);
      EXPECT_GT(made->expires, made->date_time);
      EXPECT_LE(made->expires, made->date_time + 334);  // 100 auctions come in 167 ms
      EXPECT_GE(made->category, 10);
      EXPECT_LE(made->category, 14);
      EXPECT_GE(made->reserve, made->initial_bid);
    }
  }
  // By chance a few of the others meet the hot one, too.
  EXPECT_NEAR(hot_auction / bids, 0.5, 0.01);
  EXPECT_NEAR(hot_bidder / bids, 0.75, 0.01);
  EXPECT_NEAR(hot_channel / bids, 0.5, 0.01);
  EXPECT_NEAR(hot_seller / auctions, 0.75, 0.01);
}

TEST(NexmarkGenerator, MakesTimesThatNeverGoBack) {
  std::int64_t before = kFirstEventTime;
  for (std::uint64_t n = 0; n < 1'000; ++n) {
    const std::int64_t time = time_of(Generator(1)(n));
    EXPECT_GE(time, before);
    EXPECT_LE(time, before + 1);
    before = time;
  }
  EXPECT_EQ(before, kFirstEventTime + 99);
}

TEST(NexmarkGenerator, PadsEventsToTheirSizes) {
  double bytes[3] = {}, count[3] = {};
  for (std::uint64_t n = 0; n < 20'000; ++n) {
    const Event event = Generator(3)(n);
    std::size_t size = 0;
    if (const auto* p = std::get_if<Person>(&event)) {
      size = 16 + p->name.size() + p->email_address.size() + p->credit_card.size() +
             p->city.size() + p->state.size() + p->extra.size();
    } else if (const auto* a = std::get_if<Auction>(&event)) {
      size = 56 + a->item_name.size() + a->description.size() + a->extra.size();
    } else if (const auto* b = std::get_if<Bid>(&event)) {
      size = 32 + b->channel.size() + b->url.size() + b->extra.size();
    }
    bytes[event.index()] += static_cast<double>(size);
    ++count[event.index()];
  }
  EXPECT_NEAR(bytes[0] / count[0], 200, 4);
  EXPECT_NEAR(bytes[1] / count[1], 500, 10);
  EXPECT_NEAR(bytes[2] / count[2], 100, 2);
}

}  // namespace
