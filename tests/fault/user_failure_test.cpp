// An exception from each kind of user function: the job fails, and says who, where, when and why.
#include <atomic>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "run_both_ways.h"

namespace freshet::testing {
namespace {

enum class What { kException, kText, kNumber };

// Which call of which function of which subtask throws what. Set before a job, read by its tasks.
struct Plan {
  std::string where;
  std::uint32_t subtask = 0;
  std::uint64_t call = 1;
  What what = What::kException;
};
Plan plan;
std::atomic<int> opened{0};
std::atomic<int> closed{0};

// Part of a user function: counts its calls and throws when the plan says so.
struct Fuse {
  std::uint32_t subtask = 0;
  std::uint64_t calls = 0;

  void burn(const char* where) {
    ++calls;
    if (plan.where != where || plan.subtask != subtask || plan.call != calls) return;
    switch (plan.what) {
      case What::kException:
        throw std::runtime_error("out of ink");
      case What::kText:
        throw "out of paper";
      case What::kNumber:
        throw 42;
    }
  }
  void open(RuntimeContext& context, const char* where) {
    subtask = context.subtask_index();
    ++opened;
    Fuse{subtask}.burn((std::string(where) + ".open").c_str());
  }
  void close(const char* where) {
    ++closed;
    Fuse{subtask}.burn((std::string(where) + ".close").c_str());
  }
};

struct Numbers {
  using Record = std::int64_t;
  using Split = std::uint32_t;
  struct Enumerator {
    std::uint32_t left;
    std::vector<bool> given = std::vector<bool>(64);
    std::optional<Split> next(std::uint32_t subtask) {
      Fuse{}.burn("enumerator");
      if (given[subtask]) return std::nullopt;
      given[subtask] = true;
      return subtask;
    }
  };
  struct Reader {
    Fuse fuse;
    std::int64_t at = 0;
    void start(Split) { at = 0; }
    template <class Out>
    ReadStatus read(Out& out, std::uint32_t records) {
      for (std::uint32_t i = 0; i < records && at < 1000; ++i, ++at) {
        fuse.burn("numbers");
        out(at);
      }
      return at == 1000 ? ReadStatus::split_done() : ReadStatus::more();
    }
  };
  bool bounded() const { return true; }
  Enumerator enumerator(std::uint32_t parallelism) const { return {parallelism}; }
  Reader reader(RuntimeContext& context) const { return {Fuse{context.subtask_index()}}; }
};

struct Map {
  Fuse fuse;
  void open(RuntimeContext& context) { fuse.open(context, "map"); }
  void close() { fuse.close("map"); }
  std::int64_t operator()(const std::int64_t& record) {
    fuse.burn("map");
    return record;
  }
};
struct Filter {
  Fuse fuse;
  void open(RuntimeContext& context) { fuse.open(context, "filter"); }
  void close() { fuse.close("filter"); }
  bool operator()(const std::int64_t& record) {
    fuse.burn("filter");
    return record % 7 != 0;
  }
};
struct FlatMap {
  Fuse fuse;
  void open(RuntimeContext& context) { fuse.open(context, "flat_map"); }
  void close() { fuse.close("flat_map"); }
  void operator()(const std::int64_t& record, Collector<std::int64_t>& out) {
    out(record);
    fuse.burn("flat_map");
    out(-record);
  }
};
struct Process {
  Fuse fuse;
  void open(RuntimeContext& context) { fuse.open(context, "process"); }
  void close() { fuse.close("process"); }
  void operator()(const std::int64_t& record, ProcessContext&, Collector<std::int64_t>& out) {
    fuse.burn("process");
    out(record);
  }
};
struct Key {
  Fuse fuse;
  void open(RuntimeContext& context) { fuse.open(context, "key_by"); }
  void close() { fuse.close("key_by"); }
  std::int64_t operator()(const std::int64_t& record) {
    fuse.burn("key_by");
    return record % 10;
  }
};
struct Reduce {
  Fuse fuse;
  void open(RuntimeContext& context) { fuse.open(context, "reduce"); }
  void close() { fuse.close("reduce"); }
  std::int64_t operator()(const std::int64_t& a, const std::int64_t& b) {
    fuse.burn("reduce");
    return a + b;
  }
};
struct After {
  Fuse fuse;
  void open(RuntimeContext& context) { fuse.open(context, "after"); }
  void close() { fuse.close("after"); }
  std::int64_t operator()(const std::int64_t& record) {
    fuse.burn("after");
    return record;
  }
};
struct Sink {
  Fuse fuse;
  void open(RuntimeContext& context) { fuse.open(context, "sink"); }
  void close() { fuse.close("sink"); }
  void write(const std::int64_t&) { fuse.burn("sink"); }
  void end_of_input() { Fuse{fuse.subtask}.burn("sink.end_of_input"); }
};

std::optional<FailureInfo> failure_of(StreamExecutionEnvironment& env) {
  try {
    env.execute("doomed");
  } catch (const JobFailed& failed) {
    return failed.failure();
  }
  return std::nullopt;
}

void build(StreamExecutionEnvironment& env) {
  env.from_source(Numbers{}, "numbers")
      .map(Map{})
      .name("map")
      .filter(Filter{})
      .name("filter")
      .flat_map(FlatMap{})
      .name("flat_map")
      .process(Process{})
      .name("process")
      .key_by(Key{})
      .reduce(Reduce{})
      .name("reduce")
      .map(After{})
      .name("after")
      .sink_to(Sink{}, "sink");
}

std::vector<Way> ways_to_fail() {
  std::vector<Way> all;
  for (const RuntimeMode mode : {RuntimeMode::kBatch, RuntimeMode::kStreaming}) {
    all.push_back({true, true, 0, 1, mode});
    all.push_back({false, true, 0, 1, mode});
    all.push_back({true, true, 1, 3, mode});
    all.push_back({false, true, 3, 3, mode});
    all.push_back({true, false, 0, 2, mode});
  }
  return all;
}

const char* const kRecordFunctions[] = {"numbers", "map",    "filter", "flat_map", "process",
                                        "key_by",  "reduce", "after",  "sink"};

TEST(UserFailure, NamesOperatorSubtaskRecordAndMessage) {
  for (const Way& way : ways_to_fail()) {
    for (const std::string where : kRecordFunctions) {
      for (const std::uint64_t call : {1u, 3u}) {
        SCOPED_TRACE(where + " at call " + std::to_string(call) + ": " + way.text() +
                     (way.mode == RuntimeMode::kBatch ? ", batch" : ""));
        plan = {where, static_cast<std::uint32_t>(way.parallelism - 1), call};
        auto env = way.environment();
        build(env);
        const auto failure = failure_of(env);
        ASSERT_TRUE(failure.has_value());
        EXPECT_EQ(failure->operator_name, where);
        EXPECT_EQ(failure->subtask, plan.subtask);
        EXPECT_EQ(failure->message, "out of ink");
        // reduce is not called for the first record of a key.
        if (where != "reduce") {
          EXPECT_EQ(failure->record, call);
        } else {
          EXPECT_GT(failure->record, call);
        }
      }
    }
  }
}

TEST(UserFailure, LateRecordsAreCountedAcrossBatches) {
  for (const Way& way : {Way{true, true, 0, 1}, Way{false, true, 10, 1}, Way{true, true, 7, 2}}) {
    for (const std::string where : {"numbers", "map", "filter", "flat_map", "process"}) {
      SCOPED_TRACE(where + ": " + way.text());
      plan = {where, 0, 777};
      auto env = way.environment();
      build(env);
      const auto failure = failure_of(env);
      ASSERT_TRUE(failure.has_value());
      EXPECT_EQ(failure->operator_name, where);
      EXPECT_EQ(failure->record, 777u);
    }
  }
}

TEST(UserFailure, OpenCloseAndEndOfInputFailTheJobToo) {
  for (const Way& way : ways_to_fail()) {
    for (const std::string where : {"map", "flat_map", "process", "key_by", "reduce", "sink"}) {
      for (const char* call : {".open", ".close", ".end_of_input"}) {
        if (std::string(call) == ".end_of_input" && where != "sink") continue;
        SCOPED_TRACE(where + call + ": " + way.text());
        plan = {where + call, static_cast<std::uint32_t>(way.parallelism - 1), 1};
        auto env = way.environment();
        build(env);
        const auto failure = failure_of(env);
        ASSERT_TRUE(failure.has_value());
        EXPECT_EQ(failure->operator_name, where);
        EXPECT_EQ(failure->subtask, plan.subtask);
        EXPECT_EQ(failure->message, "out of ink");
      }
    }
  }
}

struct Metered {
  void open(RuntimeContext& context) {
    for (int i = 0; i < 1'000; ++i) {
      context.counter(std::string(1'000, 'm') + std::to_string(i)).add();
    }
  }
  std::int64_t operator()(std::int64_t value) const { return value; }
};

TEST(UserFailure, MetricsOfAJobHaveABoundTogether) {
  for (const int operators : {20, 40}) {
    StreamExecutionEnvironment env = Way{}.environment();
    DataStream<std::int64_t> numbers = env.from_sequence(1, 10);
    for (int i = 0; i < operators; ++i) numbers = numbers.map(Metered{}).name("metered");
    numbers.discard();
    const auto failure = failure_of(env);
    if (operators == 20) {
      EXPECT_FALSE(failure.has_value()) << failure->message;
      continue;
    }
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->operator_name, "metered");
    EXPECT_NE(failure->message.find("may have 33554432 bytes"), std::string::npos)
        << failure->message;
  }
}

TEST(UserFailure, AnEnumeratorFailsItsSource) {
  for (const Way& way : ways_to_fail()) {
    SCOPED_TRACE(way.text());
    plan = {"enumerator", 0, 1};
    auto env = way.environment();
    build(env);
    const auto failure = failure_of(env);
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->operator_name, "numbers");
    EXPECT_EQ(failure->message, "out of ink");
  }
}

TEST(UserFailure, AGeneratorFailsAtItsRecord) {
  for (const bool fusion : {true, false}) {
    for (const std::int64_t batch_records : {0, 1}) {
      auto env = Way{fusion, true, batch_records, 2}.environment();
      env.generate(
             [](std::uint64_t i) {
               if (i == 2001) throw std::out_of_range("no such number");  // subtask 1's 1001st
               return i;
             },
             5000)
          .name("dice")
          .map([](const std::uint64_t& i) { return i + 1; })
          .discard();
      const auto failure = failure_of(env);
      ASSERT_TRUE(failure.has_value());
      EXPECT_EQ(failure->operator_name, "dice");
      EXPECT_EQ(failure->message, "no such number");
      EXPECT_EQ(failure->record, 1001u);
    }
  }
}

TEST(UserFailure, WhatIsNoExceptionIsReportedAsWell) {
  for (const Way& way : {Way{true, true, 0, 1}, Way{false, true, 1, 2}}) {
    for (const std::string where : {"numbers", "map", "sink", "enumerator", "map.open"}) {
      SCOPED_TRACE(where + ": " + way.text());
      plan = {where, 0, 1, What::kText};
      auto env = way.environment();
      build(env);
      auto failure = failure_of(env);
      ASSERT_TRUE(failure.has_value());
      EXPECT_EQ(failure->message, "out of paper");

      plan.what = What::kNumber;
      build(env);
      failure = failure_of(env);
      ASSERT_TRUE(failure.has_value());
      EXPECT_FALSE(failure->message.empty());
    }
  }
}

TEST(UserFailure, WhateverWasOpenedIsClosedOnce) {
  for (const Way& way : ways_to_fail()) {
    for (const std::string where :
         {"nowhere", "numbers", "map", "reduce", "sink", "process.open", "map.close", "sink.open",
          "flat_map.close", "sink.close", "after.close", "enumerator", "map.open"}) {
      SCOPED_TRACE(where + ": " + way.text());
      plan = {where, 0, 1};
      opened = closed = 0;
      auto env = way.environment();
      build(env);
      const auto failure = failure_of(env);
      EXPECT_EQ(failure.has_value(), where != "nowhere");
      EXPECT_EQ(opened.load(), closed.load());
      if (where == "nowhere") {
        EXPECT_EQ(opened.load(), 8 * way.parallelism);
      }
    }
  }
}

TEST(UserFailure, TheFirstFailureIsTheOneReported) {
  for (int round = 0; round < 10; ++round) {
    plan = {"sink", 1, 1};
    auto env = Way{true, true, 1, 3}.environment();
    build(env);
    const auto failure = failure_of(env);
    ASSERT_TRUE(failure.has_value());
    EXPECT_EQ(failure->operator_name, "sink");
    EXPECT_EQ(failure->subtask, 1u);
  }
}

}  // namespace
}  // namespace freshet::testing
