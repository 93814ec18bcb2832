// Cancel and failure at any moment: the job ends soon, says how, and leaves nothing behind.
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "freshet/await.h"
#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

constexpr std::int64_t kPatience = 10'000;  // ms, ten times what a cancel may take

std::atomic<std::uint64_t> seen{0};
std::atomic<bool> failing{false};

std::uint64_t number(std::uint64_t i) { return mixed(i); }

// Fails once it is told to.
struct Trap {
  std::uint64_t operator()(const std::uint64_t& v) const {
    seen.fetch_add(1, std::memory_order_relaxed);
    if (failing.load(std::memory_order_relaxed)) throw std::runtime_error("sprung");
    return v;
  }
};
// Holds everything before it back, until the trap is to spring: what is under way between workers
// would take it a minute, and only then the trap sees a record again.
struct Slow {
  void write(const std::uint64_t&) {
    if (failing.load(std::memory_order_relaxed)) return;
    await([] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); });
  }
};

struct Shape {
  const char* name;
  void (*build)(StreamExecutionEnvironment&);
};
const Shape kShapes[] = {
    {"a fused chain", [](auto& env) { env.generate_forever(&number).map(Trap{}).discard(); }},
    {"a keyed exchange",
     [](auto& env) {
       env.generate_forever(&number)
           .map(Trap{})
           .key_by([](const std::uint64_t& v) { return v % 1000; })
           .count()
           .discard();
     }},
    {"blocked on full channels",
     [](auto& env) { env.generate_forever(&number).map(Trap{}).rebalance().sink_to(Slow{}); }},
    {"waiting for a rate",
     [](auto& env) { env.generate_forever(&number, 20.0).map(Trap{}).shuffle().discard(); }},
    {"a broadcast and a union",
     [](auto& env) {
       auto numbers = env.generate_forever(&number).map(Trap{});
       numbers.broadcast()
           .map([](const std::uint64_t& v) { return v; })
           .union_with(numbers, env.generate_forever(&number, 100.0))
           .sink_to(Slow{});
     }},
    {"a bounded one, which may end first",
     [](auto& env) {
       env.generate(&number, 20'000)
           .map(Trap{})
           .key_by([](const std::uint64_t& v) { return v % 100; })
           .max([](const std::uint64_t& v) { return v; })
           .discard();
     }},
};

Way random_way(std::uint64_t seed) {
  const std::int64_t batches[] = {0, 1, 7, 500};
  return {seed % 2 == 0, seed % 5 != 0, batches[mixed(seed) % 4],
          1 + static_cast<int>(mixed(seed + 1) % 4)};
}

// Lets up to 4 ms or some thousands of records pass.
void let_pass(std::uint64_t seed) {
  if (seed % 4 == 0) return;  // at once, while it is being deployed
  const std::uint64_t records = seen + mixed(seed) % 20'000;
  const auto until =
      std::chrono::steady_clock::now() + std::chrono::microseconds(mixed(seed + 3) % 4'000);
  while (seen < records && std::chrono::steady_clock::now() < until) std::this_thread::yield();
}

TEST(Cancel, EndsTheJobSoonAtAnyMoment) {
  const auto rounds = static_cast<std::uint64_t>(scaled(200, 20));
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    const Shape& shape = kShapes[seed % std::size(kShapes)];
    const Way way = random_way(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + ", " + shape.name + ", " + way.text());
    auto env = way.environment();
    shape.build(env);
    const auto client = env.execute_async();
    let_pass(seed);
    client->cancel().get();
    ASSERT_TRUE(client->result().wait_for(kPatience));
    const JobResult result = client->result().get();
    if (result.status != JobStatus::kFinished || seed % std::size(kShapes) != 5) {
      EXPECT_EQ(result.status, JobStatus::kCanceled);
    }
    EXPECT_FALSE(result.failure.has_value());
  }
}

TEST(Failure, EndsTheJobSoonAtAnyMoment) {
  const auto rounds = static_cast<std::uint64_t>(scaled(200, 20));
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    const Shape& shape = kShapes[seed % (std::size(kShapes) - 1)];
    const Way way = random_way(seed);
    SCOPED_TRACE("seed " + std::to_string(seed) + ", " + shape.name + ", " + way.text());
    auto env = way.environment();
    shape.build(env);
    failing = false;
    const auto client = env.execute_async();
    let_pass(seed);
    failing = true;
    ASSERT_TRUE(client->result().wait_for(kPatience));
    const JobResult result = client->result().get();
    EXPECT_EQ(result.status, JobStatus::kFailed);
    ASSERT_TRUE(result.failure.has_value());
    EXPECT_EQ(result.failure->message, "sprung");
    EXPECT_EQ(result.failure->operator_name, "map");
    EXPECT_GT(result.failure->record, 0u);
  }
  failing = false;
}

TEST(Cancel, AndFailureAtOnceAreOneOfThem) {
  const auto rounds = static_cast<std::uint64_t>(scaled(80, 10));
  for (std::uint64_t seed = 0; seed < rounds; ++seed) {
    const Shape& shape = kShapes[seed % (std::size(kShapes) - 1)];
    auto env = random_way(seed).environment();
    shape.build(env);
    failing = false;
    const auto client = env.execute_async();
    let_pass(seed);
    std::thread canceler([&] { client->cancel().get(); });
    failing = true;
    canceler.join();
    ASSERT_TRUE(client->result().wait_for(kPatience)) << "seed " << seed << ", " << shape.name;
    const JobResult result = client->result().get();
    EXPECT_TRUE(result.status == JobStatus::kCanceled || result.status == JobStatus::kFailed);
    EXPECT_EQ(result.failure.has_value(), result.status == JobStatus::kFailed);
  }
  failing = false;
}

struct Stuck {
  // Swallows whatever is thrown at it.
  void operator()(const std::uint64_t& v, Collector<std::uint64_t>& out) const {
    seen.fetch_add(1);
    try {
      out(v);
    } catch (...) {
    }
  }
};

TEST(Cancel, IsHeardThroughCodeThatCatchesEverything) {
  for (const bool fusion : {true, false}) {
    seen = 0;
    auto env = Way{fusion, true, 1, 2}.environment();
    env.generate_forever(&number).flat_map(Stuck{}).rebalance().sink_to(Slow{});
    const auto client = env.execute_async();
    while (seen < 10) std::this_thread::yield();
    client->cancel().get();
    ASSERT_TRUE(client->result().wait_for(kPatience));
    EXPECT_EQ(client->result().get().status, JobStatus::kCanceled);
  }
}

std::atomic<int> farewells{0};

struct SaysFarewell {
  std::uint64_t operator()(const std::uint64_t& v) const {
    seen.fetch_add(1);
    return v;
  }
  void close() const {
    for (int i = 0; i < 3; ++i) await([] { ++farewells; });
  }
};

TEST(Cancel, LeavesCloseTheTimeToAwait) {
  for (const bool fusion : {true, false}) {
    seen = 0;
    farewells = 0;
    auto env = Way{fusion, true, 0, 3}.environment();
    env.generate_forever(&number).map(SaysFarewell{}).discard();
    const auto client = env.execute_async();
    while (seen < 10) std::this_thread::yield();
    client->cancel().get();
    ASSERT_TRUE(client->result().wait_for(kPatience));
    EXPECT_EQ(farewells, 9);
  }
}

TEST(Cancel, IsHeardByCodeThatIsSlowAndNeverAwaits) {
  // 5 ms a record: the 2,048 of a source's turn, or the 8,192 of a batch, would take 10 to 40 s.
  const auto slow = [](const std::uint64_t& v) {
    seen.fetch_add(1);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return v;
  };
  for (const bool exchange : {false, true}) {
    for (const bool fusion : {true, false}) {
      SCOPED_TRACE(std::string(exchange ? "behind an exchange, " : "") +
                   (fusion ? "fused" : "unfused"));
      seen = 0;
      auto env = Way{fusion, true, 0, 2}.environment();
      auto numbers = env.generate_forever(&number);
      if (exchange) {
        numbers.rebalance().map(slow).discard();
      } else {
        numbers.map(slow).discard();
      }
      const auto client = env.execute_async();
      while (seen < 10) std::this_thread::yield();
      const auto begin = std::chrono::steady_clock::now();
      client->cancel().get();
      ASSERT_TRUE(client->result().wait_for(kPatience));
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      EXPECT_LT(taken.count(), 5.0);
    }
  }
}

TEST(Cancel, OfAnExecuteIsThrownAsSuch) {
  seen = 0;
  auto env = Way{}.environment();
  auto rows = env.generate_forever(&number).map(Trap{}).execute_and_collect();
  rows.client().cancel().get();
  EXPECT_THROW(while (rows.next()){}, JobCanceled);
}

TEST(Cancel, WhileNobodyReadsTheResults) {
  for (int round = 0; round < scaled(40, 5); ++round) {
    seen = 0;
    auto env = random_way(static_cast<std::uint64_t>(round)).environment();
    auto rows = env.generate_forever(&number).map(Trap{}).execute_and_collect();
    while (seen < 10) std::this_thread::yield();
    rows.client().cancel().get();
    ASSERT_TRUE(rows.client().result().wait_for(kPatience));
    EXPECT_EQ(rows.client().result().get().status, JobStatus::kCanceled);
  }
}

}  // namespace
}  // namespace freshet::testing
