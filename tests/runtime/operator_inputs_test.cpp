// Several inputs, tagged outputs, gates and keyed state of an operator of its own kind.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "freshet/plugin/module.h"
#include "operator_jobs.h"

FRESHET_OPERATOR("test.made", freshet::testing::MadeOperator);

namespace freshet::testing {
using namespace core;
namespace {

using Texts = std::vector<std::string>;

// Says where each row came from, and which inputs ended.
class Telling : public QuietOperator {
 public:
  void process(std::uint32_t input, Batch& batch) override {
    const ByteRows rows(batch);
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      out_.emit(std::to_string(input) + ":" + std::string(rows.record(i)));
    }
    out_.flush();
  }
  void end_of_input(std::uint32_t input) override { emit_now("end of " + std::to_string(input)); }
};

std::vector<Scripted> numbered(const std::string& name, int count) {
  std::vector<Scripted> script;
  for (int i = 0; i < count; ++i) script.push_back({name + std::to_string(i)});
  return script;
}

TEST(SeveralInputs, EndOneByOneAndCombineTheirWatermarks) {
  static std::atomic<bool> first_ended;
  first_ended = false;
  class Inputs final : public Telling {
    void end_of_input(std::uint32_t input) override {
      Telling::end_of_input(input);
      if (input == 0) first_ended = true;
    }
  };
  OperatorJob job("inputs");
  Rows rows;
  const auto a = job.source("a", {{"x"}, mark(10)});
  const auto b = job.source("b", {{"y"}, mark(5)}, false, &first_ended);
  const auto op = job.add("op", [] { return std::make_unique<Inputs>(); }, {1, {false}});
  job.connect(a, op, {.input = 0});
  job.connect(b, op, {.input = 1});
  job.connect(op, job.sink("sink", rows, true), {.chained = true});
  EXPECT_TRUE(job.run().succeeded());
  Texts all = rows.all();
  EXPECT_EQ(all.back(), "end");
  EXPECT_LT(std::find(all.begin(), all.end(), "end of 0"),
            std::find(all.begin(), all.end(), "end of 1"));
  EXPECT_EQ(std::count(all.begin(), all.end(), "mark 10"), 0) << "while the other is at 5";
  EXPECT_EQ(std::count(all.begin(), all.end(), "0:x") + std::count(all.begin(), all.end(), "1:y"),
            2);
}

TEST(SeveralInputs, MayBeOneProducerTwice) {
  OperatorJob job("twice");
  Rows rows;
  const auto source = job.source("source", numbered("r", 500));
  const auto op = job.add("op", [] { return std::make_unique<Telling>(); }, {1, {false}});
  job.connect(source, op, {.input = 0});
  job.connect(source, op, {.input = 1});
  job.connect(op, job.sink("sink", rows));
  EXPECT_TRUE(job.run().succeeded());
  Texts expected{"end of 0", "end of 1"};
  for (int i = 0; i < 500; ++i) {
    for (const char* input : {"0:r", "1:r"}) expected.push_back(input + std::to_string(i));
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(rows.sorted(), expected);
}

TEST(SeveralInputs, TwoEdgesToOneInputEndItOnce) {
  OperatorJob job("union");
  Rows rows;
  const auto a = job.source("a", {{"x"}});
  const auto b = job.source("b", {{"y"}});
  const auto op = job.add("op", [] { return std::make_unique<Telling>(); }, {1, {false}});
  job.connect(a, op);
  job.connect(b, op);
  job.connect(op, job.sink("sink", rows));
  EXPECT_TRUE(job.run().succeeded());
  EXPECT_EQ(rows.sorted(), (Texts{"0:x", "0:y", "end of 0"}));
}

TEST(TaggedOutputs, GoTheirOwnWays) {
  class Splits final : public QuietOperator {
    void open(OperatorContext& context) override {
      context_ = &context;
      EXPECT_EQ(context.outputs(), 3u);
      for (std::uint32_t o = 0; o < 3; ++o) {
        outs_[o] = ByteOutput(context.output(o),
                              o == 2 ? ByteOutput::Keys::kKeyed : ByteOutput::Keys::kNone);
      }
    }
    void process(std::uint32_t, Batch& batch) override {
      const ByteRows rows(batch);
      for (std::uint32_t i = 0; i < rows.size(); ++i) {
        const std::string_view text = rows.record(i);
        switch (text.size() % 3) {
          case 2:
            outs_[2].emit_keyed("key", text);
            break;
          default:
            outs_[text.size() % 3].emit(text);
        }
      }
      for (ByteOutput& out : outs_) out.flush();
    }
    ByteOutput outs_[3];
  };
  OperatorJob job("tags");
  Rows rows[3];
  const auto source = job.source("source", {{"abc"}, {"a"}, {"ab"}, {"abcd"}, {"abcde"}});
  const auto op =
      job.add("op", [] { return std::make_unique<Splits>(); }, {1, {false, false, true}});
  job.connect(source, op);
  for (std::uint32_t o = 0; o < 3; ++o) {
    job.connect(op, job.sink("sink " + std::to_string(o), rows[o]),
                {.output = o, .chained = o == 1});
  }
  EXPECT_TRUE(job.run().succeeded());
  EXPECT_EQ(rows[0].all(), (Texts{"abc"}));
  EXPECT_EQ(rows[1].all(), (Texts{"a", "abcd"}));
  EXPECT_EQ(rows[2].all(), (Texts{"ab", "abcde"}));
}

TEST(KeyedRecords, GoInTurnWhereAnEdgeSaysSoAndAreRefusedToGoUnkeyedByHash) {
  class Counts final : public QuietOperator {
    void row(const ByteRows&, std::uint32_t) override { ++rows_; }
    void end_of_input(std::uint32_t) override { emit_now(std::to_string(rows_)); }
    int rows_ = 0;
  };
  for (const bool keyed : {true, false}) {
    OperatorJob job("turns");
    Rows rows;
    const auto source =
        job.source("source", std::vector<Scripted>(90, {"row", 5, "one key"}), keyed);
    const auto op = job.add("op", [] { return std::make_unique<Counts>(); }, {3, {false}});
    job.connect(source, op,
                {.partitioning = keyed ? Partitioning::kRebalance : Partitioning::kHash});
    job.connect(op, job.sink("sink", rows), {.partitioning = Partitioning::kGlobal});
    const JobResult result = job.run();
    EXPECT_EQ(result.succeeded(), keyed);
    if (keyed) {
      EXPECT_EQ(rows.all(), (Texts{"30", "30", "30"}));
    } else {
      EXPECT_NE(result.failure->message.find("carry no key"), std::string::npos);
    }
  }
}

TEST(InputRanDry, IsToldWhileNothingIsLeftToRead) {
  static std::atomic<bool> go_on;
  go_on = false;
  class Holds final : public QuietOperator {
    void row(const ByteRows& rows, std::uint32_t i) override { held_ += rows.record(i); }
    // Nothing else lets the source end.
    void input_ran_dry() override {
      if (held_ != "abc") return;
      emit_now(held_);
      held_.clear();
      go_on = true;
    }
    std::string held_;
  };
  OperatorJob job("dry");
  Rows rows;
  const auto source = job.source("source", {{"a"}, {"b"}, {"c"}}, false, &go_on);
  const auto op = job.add("op", [] { return std::make_unique<Holds>(); }, {1, {false}});
  job.connect(source, op);
  job.connect(op, job.sink("sink", rows));
  EXPECT_TRUE(job.run().succeeded());
  EXPECT_EQ(rows.all(), (Texts{"abc"}));
}

TEST(Gates, KeepAnInputBackUntilTheOtherIsReady) {
  class Gated final : public Telling {
    void open(OperatorContext& context) override {
      Telling::open(context);
      services_->gate_input(0);
    }
    void end_of_input(std::uint32_t input) override {
      Telling::end_of_input(input);
      if (input == 1) services_->ungate_input(0);
    }
  };
  OperatorJob job("gates");
  Rows rows;
  const auto main = job.source("main", numbered("m", 3'000));  // more than its channel holds
  const auto side = job.source("side", numbered("s", 100));
  const auto op = job.add("op", [] { return std::make_unique<Gated>(); }, {1, {false}});
  job.connect(main, op, {.input = 0});
  job.connect(side, op, {.input = 1});
  job.connect(op, job.sink("sink", rows));
  EXPECT_TRUE(job.run().succeeded());
  Texts expected;
  for (int i = 0; i < 100; ++i) expected.push_back("1:s" + std::to_string(i));
  expected.push_back("end of 1");
  for (int i = 0; i < 3'000; ++i) expected.push_back("0:m" + std::to_string(i));
  expected.push_back("end of 0");
  EXPECT_EQ(rows.all(), expected);
}

TEST(Gates, AreRefusedForWhatIsNotReadFromAChannel) {
  class Gating final : public QuietOperator {
    void open(OperatorContext& context) override {
      QuietOperator::open(context);
      services_->gate_input(0);
    }
  };
  OperatorJob job("gates");
  const auto source = job.source("source", {{"row"}});
  job.connect(source, job.add("op", [] { return std::make_unique<Gating>(); }, {}),
              {.chained = true});
  const JobResult result = job.run();
  ASSERT_TRUE(result.failure);
  EXPECT_EQ(result.failure->operator_name, "op");
  EXPECT_NE(result.failure->message.find("chained to its input"), std::string::npos)
      << result.failure->message;

  OperatorJob other("gates");
  const auto two = other.source("source", {{"row"}});
  class GatingTwo final : public QuietOperator {
    void open(OperatorContext& context) override {
      QuietOperator::open(context);
      services_->gate_input(2);
    }
  };
  other.connect(two, other.add("op", [] { return std::make_unique<GatingTwo>(); }, {}));
  const JobResult second = other.run();
  ASSERT_TRUE(second.failure);
  EXPECT_NE(second.failure->message.find("no channel for input 2"), std::string::npos)
      << second.failure->message;
}

TEST(KeyedStateByBytes, CountsLikeAMapOverSeveralSubtasks) {
  class Counts final : public QuietOperator {
    void row(const ByteRows& rows, std::uint32_t i) override {
      KeyedState& counts = services_->keyed_state("counts");
      std::string& count = counts.at(rows.key(i));
      count = std::to_string(count.empty() ? 1 : std::stoi(count) + 1);
      // A second state of the same keys, some of which go again.
      KeyedState& last = services_->keyed_state("last");
      last.at(rows.key(i)) = rows.record(i);
      if (rows.record(i).size() % 2 == 1) {
        EXPECT_TRUE(last.erase(rows.key(i)));
      }
    }
    void end_of_input(std::uint32_t) override {
      std::set<std::uint32_t> groups;
      std::uint32_t before = 0;
      services_->keyed_state("counts").for_each([&](std::string_view key, std::string& count) {
        const std::uint32_t group = key_group(key_hash(key), 128);
        EXPECT_GE(group, before) << "key-group order";
        before = group;
        std::string* last = services_->keyed_state("last").find(key);
        out_.emit(std::string(key) + "=" + count + (last ? "," + *last : ""));
      });
      out_.flush();
    }
  };
  std::vector<Scripted> script;
  std::map<std::string, std::pair<int, std::string>> expected;
  std::mt19937_64 random(5);
  for (int i = 0; i < 3'000; ++i) {
    const std::string key(1 + random() % 3, static_cast<char>('a' + random() % 20));
    const std::string text(1 + random() % 6, 'v');
    script.push_back({text, kNoTimestamp, key});
    auto& [count, last] = expected[key];
    ++count;
    last = text.size() % 2 ? "" : "," + text;
  }
  Texts lines;
  for (const auto& [key, value] : expected) {
    lines.push_back(key + "=" + std::to_string(value.first) + value.second);
  }
  std::sort(lines.begin(), lines.end());
  OperatorJob job("counts");
  Rows rows;
  const auto source = job.source("source", std::move(script), true);
  const auto op = job.add("op", [] { return std::make_unique<Counts>(); }, {3, {false}});
  job.connect(source, op, {.partitioning = Partitioning::kHash});
  job.connect(op, job.sink("sink", rows), {.partitioning = Partitioning::kGlobal});
  EXPECT_TRUE(job.run().succeeded());
  EXPECT_EQ(rows.sorted(), lines);
}

TEST(KeyedStateByBytes, RefusesTheKeyOfAnotherSubtask) {
  class Strays final : public QuietOperator {
    void row(const ByteRows&, std::uint32_t) override {
      for (int i = 0; i < 100; ++i) services_->keyed_state("s").at(std::to_string(i));
    }
  };
  OperatorJob job("strays");
  const auto source = job.source("source", {{"row"}});
  const auto op = job.add("op", [] { return std::make_unique<Strays>(); }, {2, {}});
  job.connect(source, op, {.partitioning = Partitioning::kRebalance});
  const JobResult result = job.run();
  ASSERT_TRUE(result.failure);
  EXPECT_NE(result.failure->message.find("state 's' of operator 'op'"), std::string::npos);
  EXPECT_NE(result.failure->message.find("hash edge"), std::string::npos)
      << result.failure->message;
}

TEST(KeyedStateByBytes, IsReachedFromOtherThreadsThroughTheMailbox) {
  static std::mutex mutex;
  static OperatorMailbox box;
  static KeyedState* state;
  static std::atomic<bool> opened, done;
  opened = done = false;
  class Served final : public QuietOperator {
    void open(OperatorContext& context) override {
      QuietOperator::open(context);
      const std::lock_guard lock(mutex);
      box = services_->mailbox();
      state = &services_->keyed_state("served");
      opened = true;
    }
    void end_of_input(std::uint32_t) override {
      services_->keyed_state("served").for_each([&](std::string_view key, std::string& value) {
        out_.emit(std::string(key) + "=" + value);
      });
      out_.flush();
    }
  };
  OperatorJob job("served");
  Rows rows;
  const auto source = job.source("source", {{"row"}}, false, &done);
  const auto op = job.add("op", [] { return std::make_unique<Served>(); }, {1, {false}});
  job.connect(source, op);
  job.connect(op, job.sink("sink", rows));
  const auto client = job.start();
  while (!opened) std::this_thread::yield();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < 250; ++i) {
        const int size = box.call([&] {
                              std::string& value = state->at("key" + std::to_string(i % 5));
                              value += static_cast<char>('a' + t);
                              return static_cast<int>(value.size());
                            })
                             .get();
        EXPECT_GT(size, i / 5);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_THROW(box.call([]() -> int { throw InvalidInput("of the caller alone"); }).get(),
               InvalidInput);
  done = true;
  EXPECT_TRUE(client->result().get().succeeded());
  ASSERT_EQ(rows.size(), 5u);
  for (const std::string& row : rows.all()) {
    EXPECT_EQ(row.size(), std::string("key0=").size() + 200);
    for (const char c : {'a', 'b', 'c', 'd'})
      EXPECT_EQ(std::count(row.begin() + 5, row.end(), c), 50);
  }
  EXPECT_THROW(box.call([] { return 1; }).get(), OperatorEnded);
}

}  // namespace
}  // namespace freshet::testing
