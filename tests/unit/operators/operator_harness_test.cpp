#include "operator_harness.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "operator_jobs.h"
#include "stream_harness.h"

namespace freshet::testing {
using namespace core;
namespace {

using Numbers = std::vector<std::int64_t>;

TEST(StreamHarness, RunsAChainRecordByRecord) {
  StreamHarness harness;
  const auto numbers = harness.input<std::int64_t>();
  const auto& out =
      harness.output(numbers.map([](std::int64_t i) { return i * 10; }).filter([](std::int64_t i) {
        return i != 20;
      }));
  harness.open();
  harness->push<std::int64_t>(1, 1'000);
  EXPECT_EQ(out.records, (Numbers{10}));
  harness->push<std::int64_t>(2, 2'000);
  harness->push<std::int64_t>(3, 3'000);
  EXPECT_EQ(out.records, (Numbers{10, 30}));
  EXPECT_EQ(out.timestamps, (Numbers{1'000, 3'000}));
  harness->watermark(2'500);
  EXPECT_EQ(out.watermarks, (Numbers{2'500}));
  EXPECT_FALSE(out.ended);
  harness->end();
  EXPECT_TRUE(out.ended);
  EXPECT_TRUE(harness->has_ended());
  EXPECT_FALSE(harness->failure());
}

TEST(StreamHarness, KeepsStateByKey) {
  StreamHarness harness;
  const auto numbers = harness.input<std::int64_t>();
  const auto& sums = harness.output(
      numbers.key_by([](const std::int64_t& i) { return i % 2; })
          .reduce([](const std::int64_t& a, const std::int64_t& b) { return a + b; }));
  harness.open();
  for (const std::int64_t i : {1, 2, 3, 4, 5}) harness->push<std::int64_t>(i);
  EXPECT_EQ(sums.records, (Numbers{1, 2, 4, 6, 9}));
}

TEST(StreamHarness, ShowsSideOutputsAndCountsRecords) {
  const OutputTag<std::string> odd("odd");
  StreamHarness harness;
  const auto numbers = harness.input<std::int64_t>();
  const auto halves =
      numbers
          .process(
              [](const std::int64_t& i, ProcessContext& context, Collector<std::int64_t>& out) {
                if (i % 2 == 0) return out(i / 2);
                context.output(OutputTag<std::string>("odd"), std::to_string(i));
              },
              odd)
          .name("halves");
  const auto& whole = harness.output(halves);
  const auto& rest = harness.output(halves.side_output(odd));
  harness.open();
  for (const std::int64_t i : {4, 5, 6}) harness->push<std::int64_t>(i);
  EXPECT_EQ(whole.records, (Numbers{2, 3}));
  EXPECT_EQ(rest.records, (std::vector<std::string>{"5"}));
  EXPECT_EQ(harness->records_in("halves"), 3u);
}

TEST(StreamHarness, SaysWhichOperatorFailedAtWhichRecord) {
  StreamHarness harness;
  const auto numbers = harness.input<std::int64_t>();
  const auto& out = harness.output(numbers
                                       .map([](std::int64_t i) {
                                         if (i == 2) throw std::runtime_error("not 2");
                                         return i;
                                       })
                                       .name("but 2"));
  harness.open();
  harness->push<std::int64_t>(1);
  EXPECT_FALSE(harness->failure());
  harness->push<std::int64_t>(2);
  ASSERT_TRUE(harness->failure());
  EXPECT_EQ(harness->failure()->operator_name, "but 2");
  EXPECT_EQ(harness->failure()->record, 2u);
  EXPECT_NE(harness->failure()->message.find("not 2"), std::string::npos);
  EXPECT_TRUE(harness->has_ended());
  EXPECT_EQ(out.records, (Numbers{1}));
}

// Notes what comes from where, gates input 0 while a row says so, and counts.
class TwoInputs final : public QuietOperator {
 public:
  explicit TwoInputs(bool& closed) : closed_(closed) {}
  void process(std::uint32_t input, Batch& batch) override {
    const ByteRows rows(batch);
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      const std::string row(rows.record(i));
      if (row == "gate") services_->gate_input(0);
      if (row == "ungate") services_->ungate_input(0);
      context_->stage(0).counter("rows").add();
      emit_now(std::to_string(input) + " " + row);
    }
  }
  void end_of_input(std::uint32_t input) override {
    services_->tell("input " + std::to_string(input) + " has ended");
  }
  void close() override { closed_ = true; }

 private:
  bool& closed_;
};

class TwoInputsInAHarness : public ::testing::Test {
 protected:
  JobGraph graph() {
    OperatorJob job("two inputs");
    const auto left = job.source("left", {}), right = job.source("right", {});
    const auto op =
        job.add("op", [this] { return std::make_unique<TwoInputs>(closed_); }, {1, {false}});
    job.connect(left, op, {.input = 0});
    job.connect(right, op, {.input = 1});
    job.connect(op, job.sink("sink", rows_, true), {.chained = true});
    return job.completed();
  }

  using Texts = std::vector<std::string>;
  bool closed_ = false;
  Rows rows_;
};

TEST_F(TwoInputsInAHarness, MeetInTheLeastWatermarkAndEndOneByOne) {
  OperatorHarness harness(graph());
  harness.push_row("a", kNoTimestamp, 0);
  harness.watermark(10, 0);
  harness.push_row("b", kNoTimestamp, 1);
  EXPECT_EQ(rows_.all(), (Texts{"0 a", "1 b"}));
  harness.watermark(5, 1);
  harness.end_input(1);
  EXPECT_EQ(rows_.all(), (Texts{"0 a", "1 b", "mark 5", "mark 10"}));
  EXPECT_EQ(harness.told(), (Texts{"input 1 has ended"}));
  EXPECT_THROW(harness.push_row("late", kNoTimestamp, 1), std::logic_error);
  harness.end();
  EXPECT_EQ(harness.told().back(), "input 0 has ended");
  EXPECT_TRUE(harness.has_ended());
  EXPECT_TRUE(closed_);
  EXPECT_EQ(harness.user_metrics("op").at("rows").value, 2);
}

TEST_F(TwoInputsInAHarness, OneWaitsWhileItIsGated) {
  OperatorHarness harness(graph());
  harness.push_row("gate", kNoTimestamp, 1);
  harness.push_row("held", kNoTimestamp, 0);
  harness.push_row("b", kNoTimestamp, 1);
  EXPECT_EQ(rows_.all(), (Texts{"1 gate", "1 b"}));
  harness.push_row("ungate", kNoTimestamp, 1);
  EXPECT_EQ(rows_.all(), (Texts{"1 gate", "1 b", "1 ungate", "0 held"}));
}

TEST_F(TwoInputsInAHarness, AreClosedIfTheTestEndsBeforeThem) {
  {
    OperatorHarness harness(graph());
    harness.push_row("a");
    EXPECT_FALSE(closed_);
  }
  EXPECT_TRUE(closed_);
}

}  // namespace
}  // namespace freshet::testing
