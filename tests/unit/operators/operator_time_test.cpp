// Timers, watermark holds, bundles and delayed calls of an operator that asks for them, in time that
// the test moves.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <sstream>
#include <tuple>

#include "freshet/plugin/module.h"
#include "operator_harness.h"
#include "operator_jobs.h"

FRESHET_OPERATOR("test.made", freshet::testing::MadeOperator);

namespace freshet::testing {
using namespace core;
namespace {

using Texts = std::vector<std::string>;

std::string text_of(const Timer& timer) {
  return std::string(timer.family) + " " + std::string(timer.tag) + " " + std::string(timer.key) +
         " " + std::to_string(timer.timestamp);
}

// Rows are commands: "set FAMILY TAG KEY TIME [HOLD]", "delete ...", "hold NAME TIME",
// "release NAME", "open", "close". Others go through.
class Commanded : public QuietOperator {
 public:
  void row(const ByteRows& rows, std::uint32_t i) override {
    const std::string text(rows.record(i));
    std::istringstream words(text);
    std::string verb, family, tag, key;
    std::int64_t time = 0, hold = kNoTimestamp;
    words >> verb;
    if (verb == "set") {
      words >> family >> tag >> key >> time;
      if (std::int64_t given; words >> given) hold = given;
      services_->set_timer(TimeDomain::kEvent, time, family, tag, key, hold);
    } else if (verb == "delete") {
      words >> family >> tag >> key;
      services_->delete_timer(family, tag, key);
    } else if (verb == "hold") {
      words >> key >> time;
      services_->hold_watermark(key, time);
    } else if (verb == "release") {
      words >> key;
      services_->release_watermark(key);
    } else if (verb == "open") {
      services_->open_bundle();
    } else if (verb == "close") {
      services_->close_bundle();
    } else {
      out_.emit(text);
    }
  }
  void timer(const Timer& timer) override {
    EXPECT_EQ(timer.domain, TimeDomain::kEvent);
    EXPECT_LE(timer.timestamp, services_->input_watermark());
    emit_now("fired " + text_of(timer));
  }
};

// An operator and a sink in one task, so that nothing is between what it emits and a watermark.
class OneOperator {
 public:
  explicit OneOperator(MakeOperator make) : harness_(graph(std::move(make))) {}
  OperatorHarness* operator->() { return &harness_; }
  void play(const std::vector<Scripted>& script) {
    for (const Scripted& each : script) {
      each.text.empty() ? harness_.watermark(each.timestamp)
                        : harness_.push_row(each.text, each.timestamp);
    }
  }
  Texts seen() const { return rows_.all(); }

 private:
  JobGraph graph(MakeOperator make) {
    OperatorJob job("one operator");
    const auto source = job.source("source", {});
    const auto op = job.add("op", std::move(make), {1, {false}});
    job.connect(source, op);
    job.connect(op, job.sink("sink", rows_, true), {.chained = true});
    return job.completed();
  }

  Rows rows_;
  OperatorHarness harness_;
};

Texts run(const std::vector<Scripted>& script, MakeOperator make) {
  OneOperator op(std::move(make));
  op.play(script);
  op->end();
  EXPECT_TRUE(op->has_ended());
  EXPECT_FALSE(op->failure()) << op->failure()->message;
  return op.seen();
}
Texts run_commands(const std::vector<Scripted>& script) {
  return run(script, [] { return std::make_unique<Commanded>(); });
}

TEST(EventTimers, FireByTimestampThenNameBeforeTheWatermark) {
  EXPECT_EQ(run_commands({{"set f t b 10"},
                          {"set f t a 10"},
                          {"set e z z 10"},
                          {"set f t c 5"},
                          {"set f t later 11"},
                          mark(10)}),
            (Texts{"fired f t c 5", "fired e z z 10", "fired f t a 10", "fired f t b 10", "mark 10",
                   "fired f t later 11", "end"}));
}

TEST(EventTimers, AreOnePerFamilyTagAndKey) {
  EXPECT_EQ(run_commands({{"set f t k 10"},
                          {"set f t k 20"},
                          {"set f u k 10"},
                          {"set g t k 10"},
                          {"delete g t k"},
                          {"delete no such one"},
                          mark(10),
                          mark(20)}),
            (Texts{"fired f u k 10", "mark 10", "fired f t k 20", "mark 20", "end"}));
}

TEST(EventTimers, SetForThePastFireAtOnce) {
  EXPECT_EQ(run_commands({mark(50), {"set f t k 10"}, {"row"}, mark(60)}),
            (Texts{"mark 50", "fired f t k 10", "row", "mark 60", "end"}));
}

TEST(EventTimers, ThatSetTimersFireThemInTheSameWatermark) {
  class Steps final : public QuietOperator {
    void row(const ByteRows&, std::uint32_t) override {
      services_->set_timer(TimeDomain::kEvent, 1, "f", "t", "k");
    }
    void timer(const Timer& timer) override {
      emit_now("at " + std::to_string(timer.timestamp));
      if (timer.timestamp < 6) {
        services_->set_timer(TimeDomain::kEvent, timer.timestamp + 2, "f", "t", "k");
      }
    }
  };
  EXPECT_EQ(run({{"go"}, mark(4), mark(9)}, [] { return std::make_unique<Steps>(); }),
            (Texts{"at 1", "at 3", "mark 4", "at 5", "at 7", "mark 9", "end"}));
}

TEST(EventTimers, AgreeWithAnOrderedMap) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937_64 random(seed);
    std::vector<Scripted> script;
    Texts expected;
    std::map<std::tuple<std::string, std::string, std::string>, std::int64_t> set;
    const auto fire = [&](std::int64_t time) {
      std::map<std::tuple<std::int64_t, std::string, std::string, std::string>, int> due;
      for (const auto& [name, at] : set) {
        if (at <= time) due[std::tuple_cat(std::tuple(at), name)];
      }
      for (const auto& [name, none] : due) {
        const auto& [at, family, tag, key] = name;
        expected.push_back("fired " + family + " " + tag + " " + key + " " + std::to_string(at));
        set.erase({family, tag, key});
      }
    };
    std::int64_t time = 0;
    for (int step = 0; step < 400; ++step) {
      const std::string family(1, static_cast<char>('a' + random() % 2));
      const std::string tag(1, static_cast<char>('p' + random() % 3));
      const std::string key = std::to_string(random() % 5);
      const std::string name = family + " " + tag + " " + key;
      switch (random() % 8) {
        case 0:
          time += static_cast<std::int64_t>(random() % 20 + 1);
          script.push_back(mark(time));
          fire(time);
          expected.push_back("mark " + std::to_string(time));
          break;
        case 1:
          script.push_back({"delete " + name});
          set.erase({family, tag, key});
          break;
        default: {
          const auto at = time + 1 + static_cast<std::int64_t>(random() % 40);
          script.push_back({"set " + name + " " + std::to_string(at)});
          set[{family, tag, key}] = at;
        }
      }
    }
    fire(kMaxWatermark);
    expected.push_back("end");
    ASSERT_EQ(run_commands(script), expected);
  }
}

TEST(ProcessingTimers, FireWithoutInputAndNotBeforeTheirTime) {
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
        EXPECT_EQ(services_->processing_time(), timer.timestamp);
      }
      emit_now(std::string(timer.tag) + std::string(timer.key));
    }
  };
  OneOperator op([] { return std::make_unique<Ticks>(); });
  op->push_row("go");
  EXPECT_EQ(op.seen(), (Texts{}));
  op->advance_ms(1);
  EXPECT_EQ(op.seen(), (Texts{"t1"}));
  op->advance_ms(1);
  op->advance_ms(1);
  EXPECT_EQ(op.seen(), (Texts{"t1", "t2", "t3"}));
  op->advance_ms(3'600'000);
  EXPECT_EQ(op.seen(), (Texts{"t1", "t2", "t3"})) << "it is one of event time now";
  op->end();
  EXPECT_EQ(op.seen(), (Texts{"t1", "t2", "t3", "moved", "end"}));
}

TEST(ProcessingTimers, ThatAreDueTogetherFireByTimestamp) {
  class Ticks final : public QuietOperator {
    void row(const ByteRows& rows, std::uint32_t i) override {
      const std::string in(rows.record(i));
      services_->set_timer(TimeDomain::kProcessing, services_->processing_time() + std::stoi(in),
                           "", "", in);
    }
    void timer(const Timer& timer) override { emit_now(timer.key); }
  };
  OneOperator op([] { return std::make_unique<Ticks>(); });
  op.play({{"5000"}, {"86400000"}, {"60"}, {"59000"}});
  op->advance_ms(24 * 3'600'000);
  EXPECT_EQ(op.seen(), (Texts{"60", "5000", "59000", "86400000"}));
}

TEST(ProcessingTimers, AreDroppedInTheEndUnlessABundleWaitsForThem) {
  for (const bool bundle : {false, true}) {
    class Late final : public QuietOperator {
     public:
      explicit Late(bool bundle) : bundle_(bundle) {}
      void row(const ByteRows&, std::uint32_t) override {
        services_->set_timer(TimeDomain::kProcessing, services_->processing_time() + 20, "", "",
                             "");
        if (bundle_) services_->open_bundle();
      }
      void timer(const Timer&) override {
        emit_now("late");
        services_->close_bundle();
      }

     private:
      const bool bundle_;
    };
    OneOperator op([&] { return std::make_unique<Late>(bundle); });
    op->push_row("go");
    op->end();
    EXPECT_EQ(op->has_ended(), !bundle);
    op->advance_ms(20);
    EXPECT_TRUE(op->has_ended());
    EXPECT_EQ(op.seen(), bundle ? (Texts{"late", "end"}) : (Texts{"end"}));
  }
}

TEST(WatermarkHolds, StopShortOfTheLeastOfThem) {
  EXPECT_EQ(run_commands({{"hold a 15"},
                          {"hold b 30"},
                          mark(10),
                          mark(20),
                          {"row"},
                          {"release a"},
                          mark(40),
                          {"hold b 35"},
                          {"release b"},
                          mark(50)}),
            (Texts{"mark 10", "mark 14", "row", "mark 20", "mark 29", "mark 34", "mark 40",
                   "mark 50", "end"}));
}

TEST(WatermarkHolds, ThatAreLeftEndWithTheInput) {
  EXPECT_EQ(run_commands({{"hold a 15"}, mark(20)}), (Texts{"mark 14", "end"}));
}

TEST(WatermarkHolds, OfATimerLastUntilItHasFired) {
  EXPECT_EQ(run_commands({{"set f t k 30 12"}, mark(20), mark(40)}),
            (Texts{"mark 11", "fired f t k 30", "mark 20", "mark 40", "end"}));
  EXPECT_EQ(run_commands({{"set f t k 30 12"}, mark(20), {"delete f t k"}, mark(40)}),
            (Texts{"mark 11", "mark 20", "mark 40", "end"}));
  EXPECT_EQ(run_commands({{"set f t k 30 12"}, {"set f t k 30 18"}, mark(20)}),
            (Texts{"mark 17", "fired f t k 30", "mark 20", "end"}));
}

TEST(Bundles, HoldWatermarkTimersAndEndButNoRows) {
  EXPECT_EQ(run_commands({{"set f t k 10"},
                          {"open"},
                          {"open"},
                          mark(20),
                          {"row 1"},
                          {"close"},
                          mark(30),
                          {"row 2"},
                          {"close"},
                          {"row 3"}}),
            (Texts{"row 1", "row 2", "fired f t k 10", "mark 30", "row 3", "end"}));
}

TEST(Bundles, OpenedAtTheEndAreWaitedForToo) {
  class Flushes final : public QuietOperator {
    void end_of_input(std::uint32_t) override {
      services_->open_bundle();
      services_->call_later(1'000, [this] {
        emit_now("flushed");
        services_->close_bundle();
      });
    }
  };
  OneOperator op([] { return std::make_unique<Flushes>(); });
  op->push_row("row");
  op->end();
  op->advance_ms(999);
  EXPECT_EQ(op.seen(), (Texts{}));
  op->advance_ms(1);
  EXPECT_EQ(op.seen(), (Texts{"flushed", "end"}));
  EXPECT_TRUE(op->has_ended());
}

TEST(DelayedCalls, RunInTheOrderOfTheirDelays) {
  class Delays final : public QuietOperator {
    void row(const ByteRows&, std::uint32_t) override {
      for (const int delay : {9, 0, 5, 0}) {
        services_->call_later(delay, [this, delay, number = number_++] {
          emit_now(std::to_string(delay) + " as number " + std::to_string(number));
        });
      }
    }
    int number_ = 0;
  };
  OneOperator op([] { return std::make_unique<Delays>(); });
  op->push_row("go");
  EXPECT_EQ(op.seen(), (Texts{"0 as number 1", "0 as number 3"}));
  op->advance_ms(5);
  EXPECT_EQ(op.seen().back(), "5 as number 2");
  op->advance_ms(3);
  EXPECT_EQ(op.seen().size(), 3u);
  op->advance_ms(1);
  EXPECT_EQ(op.seen().back(), "9 as number 0");
}

}  // namespace
}  // namespace freshet::testing
