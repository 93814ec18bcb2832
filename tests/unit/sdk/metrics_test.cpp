#include "freshet/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <thread>
#include <vector>

#include "scale.h"

namespace freshet {
namespace {

using testing::scaled;

TEST(Metrics, ACounterAddsUpAlsoDownwards) {
  const auto cell = detail::make_metric(MetricKind::kCounter);
  Counter counter(cell);
  counter.add();
  Counter copy = counter;
  copy.add(10);
  counter.add(-4);
  const MetricValue value = detail::value_of(*cell);
  EXPECT_EQ(value.kind, MetricKind::kCounter);
  EXPECT_EQ(value.value, 7) << "copies count into the same";
  EXPECT_EQ(value.count, 3u);
  EXPECT_EQ(value.text(), "7");
}

TEST(Metrics, AGaugeIsWhatItWasSetToLast) {
  const auto cell = detail::make_metric(MetricKind::kGauge);
  Gauge gauge(cell);
  EXPECT_EQ(detail::value_of(*cell).text(), "0");
  gauge.set(5);
  const MetricValue first = detail::value_of(*cell);
  gauge.set(-3);
  const MetricValue second = detail::value_of(*cell);
  EXPECT_EQ(second.value, -3);
  EXPECT_GE(second.at_ns, first.at_ns);
  EXPECT_GT(first.at_ns, 0);
}

TEST(Metrics, ADistributionKnowsItsBounds) {
  const auto cell = detail::make_metric(MetricKind::kDistribution);
  EXPECT_EQ(detail::value_of(*cell).text(), "no values");
  Distribution distribution(cell);
  for (const std::int64_t value : {5, -2, 9}) distribution.add(value);
  EXPECT_EQ(detail::value_of(*cell).text(), "3 values, -2 to 9, sum 12");
}

TEST(Metrics, AHandleOutlivesItsTask) {
  auto cell = detail::make_metric(MetricKind::kCounter);
  Counter counter(cell);
  cell.reset();
  counter.add();
}

// Values put into any number of subtasks merge to what one would have of them all.
TEST(Metrics, MergedAreAsOneWouldBeOfAllValues) {
  for (int seed = 0; seed < scaled(200, 40); ++seed) {
    std::mt19937 random(static_cast<unsigned>(seed));
    const MetricKind kind = random() % 2 != 0 ? MetricKind::kDistribution : MetricKind::kCounter;
    const auto add = [&](detail::MetricCell& cell, std::int64_t value) {
      // As the runtime does: a cell of its kind.
      std::shared_ptr<detail::MetricCell> shared(std::shared_ptr<void>(), &cell);
      kind == MetricKind::kCounter ? Counter(shared).add(value) : Distribution(shared).add(value);
    };
    const auto whole = detail::make_metric(kind);
    std::vector<std::shared_ptr<detail::MetricCell>> parts;
    for (std::size_t i = 0; i < 1 + random() % 5; ++i) parts.push_back(detail::make_metric(kind));
    for (std::size_t i = 0; i < random() % 20; ++i) {
      const auto value = static_cast<std::int64_t>(random() % 2001) - 1000;
      add(*whole, value);
      add(*parts[random() % parts.size()], value);
    }
    std::shuffle(parts.begin(), parts.end(), random);
    MetricValue merged;
    merged.kind = kind;
    for (const auto& part : parts) merged.merge(detail::value_of(*part));
    const MetricValue expected = detail::value_of(*whole);
    EXPECT_EQ(merged.count, expected.count) << "seed " << seed;
    EXPECT_EQ(merged.value, expected.value) << "seed " << seed;
    EXPECT_EQ(merged.min, expected.min) << "seed " << seed;
    EXPECT_EQ(merged.max, expected.max) << "seed " << seed;
  }
}

TEST(Metrics, OfTwoGaugesTheOneSetLastStays) {
  MetricValue never;
  never.kind = MetricKind::kGauge;
  MetricValue early = never, late = never;
  early.count = late.count = 1;
  early.value = 1;
  early.at_ns = 100;
  late.value = 2;
  late.at_ns = 200;
  for (const bool late_first : {false, true}) {
    MetricValue merged = never;
    merged.merge(late_first ? late : early);
    merged.merge(late_first ? early : late);
    merged.merge(never);
    EXPECT_EQ(merged.value, 2) << late_first;
    EXPECT_EQ(merged.at_ns, 200);
    EXPECT_EQ(merged.count, 2u);
  }
}

TEST(Metrics, CountFromManyThreads) {
  const auto cell = detail::make_metric(MetricKind::kDistribution);
  const int each = scaled(20'000, 1'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      Distribution distribution(cell);
      for (int i = 0; i < each; ++i) distribution.add(1);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(detail::value_of(*cell).count, 4u * static_cast<unsigned>(each));
  EXPECT_EQ(detail::value_of(*cell).value, 4 * each);
}

}  // namespace
}  // namespace freshet
