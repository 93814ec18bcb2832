// Function objects with open and close, accumulators, await.
#include <atomic>
#include <chrono>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "freshet/await.h"
#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

// By kind of function: opened, called, closed.
enum Kind : std::size_t {
  kMap,
  kFilter,
  kFlatMap,
  kTime,
  kProcess,
  kKey,
  kValue,
  kReduce,
  kSink,
  kGenerator,
  kKinds
};
struct Lives {
  std::atomic<int> opened{0};
  std::atomic<int> closed{0};
  std::atomic<int> calls_outside{0};
};
Lives lives[kKinds];

template <Kind K>
struct Lived {
  bool is_open = false;
  void open(RuntimeContext& context) {
    EXPECT_LT(context.subtask_index(), context.parallelism());
    ++lives[K].opened;
    is_open = true;
  }
  void close() {
    ++lives[K].closed;
    is_open = false;
  }
  void called() {
    if (!is_open) ++lives[K].calls_outside;
  }
};

struct Generate : Lived<kGenerator> {
  std::int64_t operator()(std::uint64_t i) {
    called();
    return static_cast<std::int64_t>(i);
  }
};
struct Map : Lived<kMap> {
  std::int64_t operator()(const std::int64_t& v, const std::int64_t& bound) {
    called();
    return v + bound;
  }
};
struct Filter : Lived<kFilter> {
  bool operator()(const std::int64_t& v) {
    called();
    return v % 2 == 0;
  }
};
struct FlatMap : Lived<kFlatMap> {
  void operator()(const std::int64_t& v, Collector<std::int64_t>& out) {
    called();
    out(v);
  }
};
struct Time : Lived<kTime> {
  std::int64_t operator()(const std::int64_t& v) {
    called();
    return v;
  }
};
struct Process : Lived<kProcess> {
  void operator()(const std::int64_t& v, ProcessContext&, Collector<std::int64_t>& out) {
    called();
    out(v);
  }
};
struct Key : Lived<kKey> {
  std::int64_t operator()(const std::int64_t& v) {
    called();
    return v % 10;
  }
};
struct Value : Lived<kValue> {
  std::int64_t operator()(const std::int64_t& v) {
    called();
    return v;
  }
};
struct Reduce : Lived<kReduce> {
  std::int64_t operator()(const std::int64_t& a, const std::int64_t& b) {
    called();
    return a + b;
  }
};
template <class T>
struct Sink : Lived<kSink> {
  void write(const T&) { called(); }
};

TEST(Functions, AreOpenedAndClosedOnceInEachSubtask) {
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.text());
    for (Lives& of : lives) of.opened = of.closed = of.calls_outside = 0;
    auto env = way.environment();
    auto numbers = env.generate(Generate{}, 1000)
                       .map(Map{}, std::int64_t{1})
                       .filter(Filter{})
                       .flat_map(FlatMap{})
                       .assign_timestamps(Time{})
                       .process(Process{});
    numbers.key_by(Key{}).reduce(Reduce{}).sink_to(Sink<std::int64_t>{});
    numbers.key_by([](const std::int64_t& v) { return v; }).sum(Value{}).discard();
    env.execute();
    for (std::size_t kind = 0; kind < kKinds; ++kind) {
      EXPECT_EQ(lives[kind].opened, way.parallelism) << "kind " << kind;
      EXPECT_EQ(lives[kind].closed, way.parallelism) << "kind " << kind;
      EXPECT_EQ(lives[kind].calls_outside, 0) << "kind " << kind;
    }
  }
}

struct Measure {
  Accumulator* seen = nullptr;
  Accumulator* sum = nullptr;
  Accumulator* least = nullptr;
  Accumulator* most = nullptr;
  Accumulator* sizes = nullptr;
  Accumulator* notes = nullptr;
  std::string who;
  void write_bound(PayloadWriter&) const {}
  static Measure read_bound(PayloadReader&) { return {}; }
  void open(RuntimeContext& context) {
    seen = &context.accumulator("seen", AccumulatorKind::kCount);
    sum = &context.accumulator("sum", AccumulatorKind::kSum);
    least = &context.accumulator("least", AccumulatorKind::kMin);
    most = &context.accumulator("most", AccumulatorKind::kMax);
    sizes = &context.accumulator("sizes", AccumulatorKind::kHistogram);
    notes = &context.accumulator("notes", AccumulatorKind::kBytes);
    who = "subtask " + std::to_string(context.subtask_index());
  }
  std::int64_t operator()(const std::int64_t& v) {
    seen->add();
    sum->add(static_cast<double>(v));
    least->add(static_cast<double>(v));
    most->add(static_cast<double>(v));
    sizes->add(static_cast<double>(v));
    return v;
  }
  void close() { notes->add_bytes(who); }
};

TEST(Functions, AccumulatorsOfAllSubtasksAreMergedInTheResult) {
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.text());
    auto env = way.environment();
    env.from_sequence(5, 1004).map(Measure{}).discard();
    const JobResult result = env.execute();
    const AccumulatorValues& values = result.accumulators;
    EXPECT_EQ(values.at("seen").count, 1000u);
    EXPECT_EQ(values.at("sum").number, (5.0 + 1004.0) * 500);
    EXPECT_EQ(values.at("least").number, 5);
    EXPECT_EQ(values.at("most").number, 1004);
    EXPECT_EQ(values.at("sizes").count, 1000u);
    EXPECT_EQ(values.at("sizes").buckets.at(10), 1004u - 511u);  // 512 to 1004
    std::vector<std::string> expected;
    for (int i = 0; i < way.parallelism; ++i) expected.push_back("subtask " + std::to_string(i));
    EXPECT_EQ(sorted(values.at("notes").items), sorted(expected));
  }
}

struct CountAs {
  AccumulatorKind kind;
  void open(RuntimeContext& context) { context.accumulator("both", kind); }
  std::int64_t operator()(const std::int64_t& v) const { return v; }
};

TEST(Functions, AnAccumulatorOfTwoKindsFailsTheJob) {
  auto env = Way{}.environment();
  env.from_sequence(0, 9)
      .map(CountAs{AccumulatorKind::kCount})
      .map(CountAs{AccumulatorKind::kMax})
      .name("second")
      .discard();
  try {
    env.execute();
    FAIL() << "was run";
  } catch (const JobFailed& failed) {
    EXPECT_EQ(failed.failure().operator_name, "second");
    EXPECT_NE(failed.failure().message.find("'both'"), std::string::npos);
  }
}

// ---- await -----------------------------------------------------------------------------------

// Opens once as many callers wait in it as it was set to.
struct Gathering {
  std::atomic<int> waiting{0};
  std::atomic<int> wanted{0};
  // Blocks its thread. False: nobody else came within ten seconds.
  bool wait() {
    ++waiting;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (waiting < wanted) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }
};
Gathering gathering;

struct Gather {
  bool first = true;
  bool operator()(const std::int64_t&) {
    if (!std::exchange(first, false)) return true;
    return await([] { return gathering.wait(); });
  }
};

TEST(Functions, AwaitLetsTheNeighboursOnTheThreadGoOn) {
  for (const bool fusion : {true, false}) {
    gathering.waiting = 0;
    gathering.wanted = 6;
    Way way{fusion, true, 1, 6};
    Configuration configuration = way.configuration();
    configuration.set(options::kLocalThreads, 1);
    auto env = StreamExecutionEnvironment::get_execution_environment(configuration);
    // All six wait at once, on one thread: none of them holds it.
    const auto rows = env.from_sequence(1, 600).map(Gather{}).execute_and_collect().to_vector();
    EXPECT_EQ(rows.size(), 600u);
    for (const bool met : rows) EXPECT_TRUE(met);
  }
}

// Its enumerator and readers ask something slow.
struct SlowSource {
  using Record = std::int64_t;
  using Split = std::int64_t;
  struct Enumerator {
    std::int64_t left = 20;
    std::optional<Split> next(std::uint32_t) {
      await([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
      if (left == 0) return std::nullopt;
      return --left;
    }
  };
  struct Reader {
    std::int64_t split = 0;
    void start(Split next) { split = next; }
    template <class Out>
    ReadStatus read(Out& out, std::uint32_t) {
      out(await([this] { return split * 2; }));
      return ReadStatus::split_done();
    }
  };
  bool bounded() const { return true; }
  Enumerator enumerator(std::uint32_t) const { return {}; }
  Reader reader(RuntimeContext&) const { return {}; }
};

TEST(Functions, EnumeratorsAndReadersMayAwait) {
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < 20; ++i) expected.push_back(i * 2);
  run_both_ways(
      [](auto& env) {
        env.configuration().set(options::kLocalThreads, 1);
        return env.from_source(SlowSource{}, "slow").execute_and_collect().to_vector();
      },
      expected);
}

TEST(Functions, AnExceptionInsideAwaitIsTheFunctions) {
  auto env = Way{}.environment();
  env.from_sequence(1, 10)
      .map([](const std::int64_t& v) {
        return await([v] {
          if (v == 4) throw std::runtime_error("the service is away");
          return v;
        });
      })
      .name("ask")
      .discard();
  try {
    env.execute();
    FAIL() << "was run";
  } catch (const JobFailed& failed) {
    EXPECT_EQ(failed.failure().operator_name, "ask");
    EXPECT_EQ(failed.failure().record, 4u);
    EXPECT_EQ(failed.failure().message, "the service is away");
  }
}

TEST(Functions, RecordsMayBeEmittedInsideAHandler) {
  // Each handler's fiber is suspended again and again while its exception is being handled.
  const std::int64_t count = scaled(4'000, 500);
  std::vector<std::int64_t> expected;
  for (std::int64_t i = 0; i < count; ++i) expected.insert(expected.end(), {i, -i});
  for (const Way& way : {Way{true, true, 1, 4}, Way{false, false, 1, 4}, Way{true, true, 0, 2}}) {
    SCOPED_TRACE(way.text());
    Configuration configuration = way.configuration();
    configuration.set(options::kLocalThreads, 2);
    auto env = StreamExecutionEnvironment::get_execution_environment(configuration);
    auto rows = env.from_sequence(0, count - 1)
                    .flat_map([](const std::int64_t& v, Collector<std::int64_t>& out) {
                      try {
                        throw v;
                      } catch (const std::int64_t& caught) {
                        out(caught);
                        try {
                          throw std::to_string(v);
                        } catch (const std::string& text) {
                          out(-std::stoll(text));
                        }
                        if (caught != v) out(1'000'000'000);
                      }
                    })
                    .rebalance()
                    .map([](const std::int64_t& v) { return v; })
                    .execute_and_collect()
                    .to_vector();
    EXPECT_TRUE(sorted(std::move(rows)) == sorted(expected));
  }
}

// Any number of values, of any kind, behind the arguments of any call.
TEST(Functions, GetTheValuesThatAreBoundToThem) {
  using Numbers = std::vector<std::int64_t>;
  const OutputTag<std::int64_t> aside("aside");
  const auto jobs = [&](auto& env) {
    auto made = env.generate(
        [](std::uint64_t i, std::int64_t plus, const std::string& text) {
          return static_cast<std::int64_t>(i) + plus + static_cast<std::int64_t>(text.size());
        },
        10, 0, std::int64_t{100}, std::string("four"));
    auto mapped = made.map([](const std::int64_t& v, int a, int b, int c, int d,
                              const Numbers& e) { return v - a - b - c - d - e.at(0); },
                           1, 2, 3, 4, Numbers{94});
    auto kept = mapped.filter([](const std::int64_t& v, int from, int to, int step,
                                 int rest) { return v >= from && v < to && v % step == rest; },
                              0, 8, 2, 0);
    auto doubled = kept.flat_map(
        [](const std::int64_t& v, Collector<std::int64_t>& out, int times, std::int64_t by) {
          for (int i = 0; i < times; ++i) out(v + i * by);
        },
        2, std::int64_t{10});
    auto processed = doubled.process(
        [](const std::int64_t& v, ProcessContext& context, Collector<std::int64_t>& out,
           std::int64_t limit, const std::string& name) {
          v < limit ? out(v) : context.output(OutputTag<std::int64_t>(name), v);
        },
        std::int64_t{10}, aside, std::string("aside"));
    auto timed = processed.union_with(processed.side_output(aside))
                     .assign_timestamps([](const std::int64_t& v, int begin,
                                           int step) { return v * step + begin; },
                                        0, 5, 2);
    auto keyed = timed.key_by(
        [](const std::int64_t& v, std::int64_t a, std::int64_t b) { return v >= a * b; },
        std::int64_t{2}, std::int64_t{5});
    auto sums = keyed.sum(
        [](const std::int64_t& v, int weight, int plus) { return v * weight + plus; }, 2, 1);
    auto least = keyed.min([](const std::int64_t& v, int plus) { return v + plus; }, 1000);
    auto most = keyed.max([](const std::int64_t& v, int plus) { return v + plus; }, 2000);
    auto reduced = keyed.reduce([](const std::int64_t& a, const std::int64_t& b, int from,
                                   int to) { return std::max(a, b) * from / to; },
                                3, 3);
    const auto value = [](const std::pair<bool, std::int64_t>& row) { return row.second; };
    return sums.map(value)
        .union_with(least.map(value), most.map(value), reduced)
        .execute_and_collect()
        .to_vector();
  };
  // 0 2 4 6 and 10 12 14 16.
  run_both_ways(jobs, Numbers{28, 108, 1000, 1010, 2006, 2016, 6, 16});
}

}  // namespace
}  // namespace freshet::testing
