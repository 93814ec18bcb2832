// Timers, bundles and delayed calls in whole jobs, with threads and the system's clock; what an
// operator sees of time in detail is in tests/unit/operators/operator_time_test.cpp.
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "freshet/plugin/module.h"
#include "operator_jobs.h"

FRESHET_OPERATOR("test.made", freshet::testing::MadeOperator);

namespace freshet::testing {
using namespace core;
namespace {

using Texts = std::vector<std::string>;

// Source, operator and sink in one task, so that nothing is between a row and a watermark.
Texts run_chained(std::vector<Scripted> script, MakeOperator make) {
  OperatorJob job("chained");
  Rows rows;
  const auto source = job.source("source", std::move(script));
  const auto op = job.add("op", std::move(make), {1, {false}});
  job.connect(source, op, {.chained = true});
  job.connect(op, job.sink("sink", rows, true), {.chained = true});
  const JobResult result = job.run();
  EXPECT_TRUE(result.succeeded()) << (result.failure ? result.failure->message : "");
  return rows.all();
}
TEST(ProcessingTimers, FireWithoutInputAndNotBeforeTheirTime) {
  static std::atomic<bool> fired_all;
  fired_all = false;
  class Ticks final : public QuietOperator {
    void row(const ByteRows&, std::uint32_t) override {
      const std::int64_t now = services_->processing_time();
      for (const int key : {3, 1, 2}) {
        services_->set_timer(TimeDomain::kProcessing, now + key, "f", "t", std::to_string(key));
      }
      services_->set_timer(TimeDomain::kProcessing, now + 4, "f", "moved", "");
      services_->set_timer(TimeDomain::kEvent, 7, "f", "moved", "");
      services_->set_timer(TimeDomain::kProcessing, now + 3, "f", "unset", "");
      EXPECT_TRUE(services_->delete_timer("f", "unset", ""));
    }
    void timer(const Timer& timer) override {
      if (timer.domain == TimeDomain::kProcessing) {
        EXPECT_GE(services_->processing_time(), timer.timestamp);
      }
      emit_now(std::string(timer.tag) + std::string(timer.key));
      if (timer.key == "3") fired_all = true;
    }
  };
  OperatorJob job("ticks");
  Rows rows;
  const auto source = job.source("source", {{"go"}}, false, &fired_all);
  const auto op = job.add("op", [] { return std::make_unique<Ticks>(); }, {1, {false}});
  job.connect(source, op);
  job.connect(op, job.sink("sink", rows, true));
  EXPECT_TRUE(job.run().succeeded());
  EXPECT_EQ(rows.all(), (Texts{"t1", "t2", "t3", "moved", "end"}));
}

TEST(Bundles, KeepTheOperatorAliveForItsOwnThreads) {
  class Harness final : public QuietOperator {
   public:
    void row(const ByteRows& rows, std::uint32_t i) override {
      services_->open_bundle();
      all_rows_.count_down();
      threads_.emplace_back([this, text = std::string(rows.record(i)), box = services_->mailbox()] {
        all_rows_.wait();
        static_cast<void>(box.post([this, text] {
          emit_now(text + " done");
          services_->close_bundle();
        }));
      });
    }
    void close() override {
      for (std::thread& thread : threads_) thread.join();
    }

   private:
    std::latch all_rows_{3};
    std::vector<std::thread> threads_;
  };
  Texts rows =
      run_chained({{"1"}, {"2"}, mark(9), {"3"}}, [] { return std::make_unique<Harness>(); });
  ASSERT_EQ(rows.size(), 5u);
  std::sort(rows.begin(), rows.begin() + 3);
  EXPECT_EQ(rows, (Texts{"1 done", "2 done", "3 done", "mark 9", "end"}));
}

TEST(Bundles, ClosedOnceTooOftenFailTheJob) {
  class Closes final : public QuietOperator {
    void row(const ByteRows&, std::uint32_t) override { services_->close_bundle(); }
  };
  OperatorJob job("closes");
  Rows rows;
  const auto source = job.source("source", {{"close"}});
  const auto op = job.add("op", [] { return std::make_unique<Closes>(); }, {1, {false}});
  job.connect(source, op, {.chained = true});
  job.connect(op, job.sink("sink", rows), {.chained = true});
  const JobResult result = job.run();
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->operator_name, "op");
  EXPECT_NE(result.failure->message.find("none is open"), std::string::npos);
}

TEST(DelayedCalls, LeaveTheInputsTheirTurn) {
  class Slices final : public QuietOperator {
    void open(OperatorContext& context) override {
      QuietOperator::open(context);
      services_->open_bundle();
      again();
    }
    void again() {
      services_->call_later(0, [this] {
        ++slices_;
        rows_ == 100 ? services_->close_bundle() : again();
      });
    }
    void row(const ByteRows&, std::uint32_t) override { ++rows_; }
    void end_of_input(std::uint32_t) override {
      emit_now(std::to_string(rows_) + " rows");
      EXPECT_GT(slices_, 0);
    }
    int slices_ = 0;
    int rows_ = 0;
  };
  EXPECT_EQ(
      run_chained(std::vector<Scripted>(100, {"row"}), [] { return std::make_unique<Slices>(); }),
      (Texts{"100 rows", "end"}));
}

TEST(DelayedCalls, ThatGoOnForEverLeaveOthersTheirTurnAndHearACancel) {
  static std::atomic<int> slices;
  slices = 0;
  class Endless final : public QuietOperator {
    void open(OperatorContext& context) override {
      QuietOperator::open(context);
      services_->open_bundle();
      again();
    }
    void again() {
      services_->call_later(0, [this] {
        ++slices;
        again();
      });
    }
  };
  OperatorJob job("endless");
  Rows rows;
  const auto source = job.source("source", {{"row"}});
  job.connect(source, job.add("op", [] { return std::make_unique<Endless>(); }, {}));
  job.connect(source, job.sink("sink", rows));
  Configuration configuration;
  configuration.set(options::kLocalThreads, 1);
  const auto client = job.start(configuration);
  while (slices < 1'000 || rows.size() == 0) std::this_thread::yield();
  client->cancel().get();
  ASSERT_TRUE(client->result().wait_for(60'000));
  EXPECT_EQ(client->result().get().status, JobStatus::kCanceled);
}

}  // namespace
}  // namespace freshet::testing
