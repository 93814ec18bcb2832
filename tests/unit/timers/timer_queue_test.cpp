#include "timers/timer_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "scale.h"

namespace freshet::core {
namespace {

using testing::scaled;
using Domain = TimeDomain;

constexpr std::int64_t kNoHold = kNoTimestamp;

TimerQueue::Name named(std::string key, std::string family = "f", std::string tag = "t") {
  return {std::move(family), std::move(tag), std::move(key)};
}

std::vector<std::string> keys_due(TimerQueue& timers, Domain domain, std::int64_t time) {
  std::vector<std::string> keys;
  while (const auto due = timers.take(domain, time)) {
    keys.push_back(due->name.key);
    timers.release(*due);
  }
  return keys;
}

TEST(TimerQueue, GivesTheDueByTimestampThenFamilyTagAndKey) {
  TimerQueue timers;
  timers.set(named("late"), Domain::kEvent, 30, kNoHold);
  timers.set(named("k2", "b", "a"), Domain::kEvent, 10, kNoHold);
  timers.set(named("k3", "a", "b"), Domain::kEvent, 10, kNoHold);
  timers.set(named("k1", "a", "a"), Domain::kEvent, 10, kNoHold);
  timers.set(named("k0", "z", "z"), Domain::kEvent, 9, kNoHold);
  EXPECT_EQ(timers.next(Domain::kEvent), 9);
  EXPECT_FALSE(timers.is_due(Domain::kEvent, 8));
  EXPECT_TRUE(timers.is_due(Domain::kEvent, 9)) << "at its very timestamp";
  EXPECT_EQ(keys_due(timers, Domain::kEvent, 29),
            (std::vector<std::string>{"k0", "k1", "k3", "k2"}));
  EXPECT_EQ(timers.size(Domain::kEvent), 1u);
  EXPECT_EQ(timers.next(Domain::kEvent), 30);
}

TEST(TimerQueue, SaysOfATimerWhatItWasSetTo) {
  TimerQueue timers;
  timers.set(named("k"), Domain::kProcessing, 7, 3);
  const auto due = timers.take(Domain::kProcessing, 7);
  ASSERT_TRUE(due);
  const Timer timer = due->timer();
  EXPECT_EQ(timer.domain, Domain::kProcessing);
  EXPECT_EQ(timer.timestamp, 7);
  EXPECT_EQ(timer.family, "f");
  EXPECT_EQ(timer.tag, "t");
  EXPECT_EQ(timer.key, "k");
  EXPECT_FALSE(timers.take(Domain::kProcessing, INT64_MAX)) << "it was taken out";
}

TEST(TimerQueue, SetAgainATimerMovesAlsoToTheOtherDomain) {
  TimerQueue timers;
  timers.set(named("k"), Domain::kEvent, 10, 5);
  timers.set(named("k"), Domain::kEvent, 20, 8);
  EXPECT_EQ(timers.size(Domain::kEvent), 1u);
  EXPECT_EQ(timers.next(Domain::kEvent), 20);
  EXPECT_EQ(timers.least_hold(), 8);
  timers.set(named("k"), Domain::kProcessing, 30, kNoHold);
  EXPECT_EQ(timers.size(Domain::kEvent), 0u);
  EXPECT_EQ(timers.next(Domain::kEvent), INT64_MAX);
  EXPECT_EQ(timers.next(Domain::kProcessing), 30);
  EXPECT_EQ(timers.least_hold(), INT64_MAX) << "the hold went with the old setting";
}

TEST(TimerQueue, AHoldLastsUntilItsTimerIsReleasedErasedOrCleared) {
  TimerQueue timers;
  timers.set(named("a"), Domain::kEvent, 10, 4);
  timers.set(named("b"), Domain::kEvent, 20, 4);
  const auto due = timers.take(Domain::kEvent, 10);
  ASSERT_TRUE(due);
  EXPECT_TRUE(timers.erase(named("b")));
  EXPECT_EQ(timers.least_hold(), 4) << "what fires holds until it has fired";
  timers.release(*due);
  EXPECT_EQ(timers.least_hold(), INT64_MAX);
  EXPECT_FALSE(timers.erase(named("b"))) << "it is gone";
  timers.set(named("c"), Domain::kProcessing, 1, 2);
  timers.clear();
  EXPECT_EQ(timers.least_hold(), INT64_MAX);
  EXPECT_EQ(timers.size(Domain::kProcessing), 0u);
}

TEST(TimerQueue, ATimerThatFiresMayBeSetAgainMeanwhile) {
  TimerQueue timers;
  timers.set(named("k"), Domain::kEvent, 10, 6);
  const auto due = timers.take(Domain::kEvent, 10);
  timers.set(named("k"), Domain::kEvent, 12, 9);
  EXPECT_EQ(timers.least_hold(), 6);
  timers.release(*due);
  EXPECT_EQ(timers.least_hold(), 9) << "the new one's";
  EXPECT_EQ(timers.size(Domain::kEvent), 1u);
}

// Beside a list that is searched from end to end.
TEST(TimerQueue, DoesAsAListOfTimersWould) {
  struct Listed {
    TimerQueue::Name name;
    Domain domain;
    std::int64_t timestamp, hold;
  };
  for (int seed = 0; seed < scaled(60, 10); ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    TimerQueue timers;
    std::vector<Listed> list;
    const auto any_name = [&] {
      return named(std::to_string(random() % 6), random() % 2 != 0 ? "f" : "g");
    };
    const auto of_name = [&](const TimerQueue::Name& name) {
      return std::find_if(list.begin(), list.end(),
                          [&](const Listed& each) { return each.name.view() == name.view(); });
    };
    for (int step = 0; step < 400; ++step) {
      const Domain domain = random() % 2 != 0 ? Domain::kEvent : Domain::kProcessing;
      const auto time = static_cast<std::int64_t>(random() % 50);
      const TimerQueue::Name name = any_name();
      const auto listed = of_name(name);
      switch (random() % 3) {
        case 0: {
          const std::int64_t hold = random() % 2 != 0 ? kNoHold : time - 3;
          if (listed != list.end()) list.erase(listed);
          list.push_back({name, domain, time, hold});
          timers.set(name, domain, time, hold);
          break;
        }
        case 1:
          EXPECT_EQ(timers.erase(name), listed != list.end());
          if (listed != list.end()) list.erase(listed);
          break;
        default: {
          const auto first =
              std::min_element(list.begin(), list.end(), [&](const Listed& a, const Listed& b) {
                if ((a.domain == domain) != (b.domain == domain)) return a.domain == domain;
                if (a.timestamp != b.timestamp) return a.timestamp < b.timestamp;
                return a.name < b.name;
              });
          const auto due = timers.take(domain, time);
          const bool expected =
              first != list.end() && first->domain == domain && first->timestamp <= time;
          ASSERT_EQ(due.has_value(), expected) << "seed " << seed << " step " << step;
          if (due) {
            EXPECT_EQ(due->name.view(), first->name.view());
            EXPECT_EQ(due->timestamp, first->timestamp);
            timers.release(*due);
            list.erase(first);
          }
        }
      }
      std::int64_t least = INT64_MAX, next = INT64_MAX;
      for (const Listed& each : list) {
        if (each.hold != kNoHold) least = std::min(least, each.hold);
        if (each.domain == domain) next = std::min(next, each.timestamp);
      }
      ASSERT_EQ(timers.least_hold(), least) << "seed " << seed << " step " << step;
      ASSERT_EQ(timers.next(domain), next) << "seed " << seed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace freshet::core
