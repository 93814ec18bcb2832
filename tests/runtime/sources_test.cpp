// Elements, sequences, generators and sources of one's own.
#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "freshet/error.h"
#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

TEST(Sources, ElementsComeInTheirOrder) {
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.text());
    auto env = way.environment();
    const auto rows = env.from_elements({"one", "", "three"})
                          .map([](const std::string& text) { return text; })
                          .set_parallelism(1)
                          .execute_and_collect()
                          .to_vector();
    EXPECT_EQ(rows, (std::vector<std::string>{"one", "", "three"}));
  }
}

TEST(Sources, SequencesOfEveryKindAreWhole) {
  constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::pair<std::int64_t, std::int64_t> ranges[] = {{0, 0},
                                                          {1, 0},
                                                          {-5, 5},
                                                          {-7, -3},
                                                          {10, 12},
                                                          {0, 999},
                                                          {kMost, kMost},
                                                          {kMost - 20, kMost},
                                                          {kLeast, kLeast + 20},
                                                          {kMost, kLeast}};
  for (const auto& [first, last] : ranges) {
    SCOPED_TRACE(std::to_string(first) + " to " + std::to_string(last));
    std::vector<std::int64_t> expected;
    if (first <= last) {
      for (std::int64_t i = first;; ++i) {
        expected.push_back(i);
        if (i == last) break;
      }
    }
    run_both_ways(
        [first = first, last = last](auto& env) {
          return env.from_sequence(first, last)
              .map([](const std::int64_t& i) { return i; })
              .execute_and_collect()
              .to_vector();
        },
        expected);
  }
}

TEST(Sources, ASequenceOfAllNumbersIsRefused) {
  auto env = Way{}.environment();
  EXPECT_THROW(env.from_sequence(INT64_MIN, INT64_MAX), InvalidInput);
  EXPECT_NO_THROW(env.from_sequence(INT64_MIN + 1, INT64_MAX));
}

TEST(Sources, AGeneratorGivesTheSameRecordsAtAnyParallelism) {
  for (const std::uint64_t count : {0u, 1u, 7u, 5000u}) {
    std::vector<std::uint64_t> expected;
    for (std::uint64_t i = 0; i < count; ++i) expected.push_back(mixed(i));
    run_both_ways(
        [count](auto& env) {
          return env.generate([](std::uint64_t i) { return mixed(i); }, count)
              .map([](const std::uint64_t& v) { return v; })
              .execute_and_collect()
              .to_vector();
        },
        expected);
  }
}

TEST(Sources, AGeneratorKeepsToItsRate) {
  for (const int parallelism : {1, 4}) {
    for (const bool fusion : {true, false}) {
      auto env = Way{fusion, true, 0, parallelism}.environment();
      const auto begin = std::chrono::steady_clock::now();
      const auto rows = env.generate([](std::uint64_t i) { return i; }, 201, 1000.0)
                            .execute_and_collect()
                            .to_vector();
      const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
      EXPECT_EQ(rows.size(), 201u);
      // Each subtask's first record is due at once, so the last one is after (201 - p) / rate.
      EXPECT_GE(taken.count(), (200.0 - parallelism) / 1000.0);
      EXPECT_LE(taken.count(), 10.0);  // 0.2 s on a quiet machine
    }
  }
}

TEST(Sources, SubtasksOfAGeneratorAdvanceInStep) {
  // Numbers i, i + 3, ... stay with subtask i: its event time never starts over.
  auto env = Way{true, true, 0, 3}.environment();
  struct Mine {
    std::uint64_t subtask = 0;
    void open(RuntimeContext& context) { subtask = context.subtask_index(); }
    bool operator()(const std::uint64_t& i) const { return i % 3 == subtask; }
  };
  const auto rows = env.generate([](std::uint64_t i) { return i; }, 6000)
                        .filter(Mine{})
                        .execute_and_collect()
                        .to_vector();
  EXPECT_EQ(rows.size(), 6000u);
}

std::atomic<int> enumerators{0};

// Many small splits, of which some are empty; readers stop now and then to wait.
struct Pieces {
  using Record = std::string;
  using Split = std::pair<std::int64_t, std::string>;
  struct Enumerator {
    std::int64_t left = 100;
    Enumerator() { ++enumerators; }
    Enumerator(Enumerator&& other) noexcept : left(other.left) { ++enumerators; }
    ~Enumerator() { --enumerators; }
    std::optional<Split> next(std::uint32_t) {
      if (left == 0) return std::nullopt;
      --left;
      return Split(left, "piece " + std::to_string(left));
    }
  };
  struct Reader {
    RuntimeContext* context;
    Split split;
    std::int64_t at = 0;
    bool rested = false;
    void start(Split next) {
      split = std::move(next);
      at = 0;
      rested = false;
    }
    template <class Out>
    ReadStatus read(Out& out, std::uint32_t records) {
      if (split.first % 10 == 0 && !rested) {
        rested = true;
        return ReadStatus::waiting_until(context->now() + 100'000);
      }
      for (std::uint32_t k = 0; k < records && at < split.first; ++k) {
        out(split.second + "." + std::to_string(at++));
      }
      return at == split.first ? ReadStatus::split_done() : ReadStatus::more();
    }
  };
  bool bounded() const { return true; }
  Enumerator enumerator(std::uint32_t) const { return {}; }
  Reader reader(RuntimeContext& context) const { return {&context, {}}; }
};

TEST(Sources, SplitsOfAnEnumeratorAreReadOnceEach) {
  std::vector<std::string> expected;
  for (int split = 0; split < 100; ++split) {
    for (int k = 0; k < split; ++k) {
      expected.push_back("piece " + std::to_string(split) + "." + std::to_string(k));
    }
  }
  run_both_ways(
      [](auto& env) {
        return env.from_source(Pieces{}, "pieces")
            .filter([](const std::string&) { return true; })
            .execute_and_collect()
            .to_vector();
      },
      expected);
  EXPECT_EQ(enumerators.load(), 0);  // gone with their jobs
}

// Wants a split before the job has begun, in the subtask of that number.
struct Hasty {
  using Record = std::int64_t;
  using Split = std::uint32_t;
  struct Reader {
    std::uint32_t hasty;
    void open(RuntimeContext& context) {
      if (context.subtask_index() == hasty) static_cast<void>(context.next_split());
    }
    void start(Split) {}
    template <class Out>
    ReadStatus read(Out&, std::uint32_t) {
      return ReadStatus::split_done();
    }
  };
  std::uint32_t hasty;
  bool bounded() const { return true; }
  FixedSplits<Split> enumerator(std::uint32_t) const { return FixedSplits<Split>({1, 2, 3}); }
  Reader reader(RuntimeContext&) const { return {hasty}; }
};

TEST(Sources, ASplitIsRefusedWhileTheJobOpens) {
  for (const bool fusion : {true, false}) {
    for (const std::uint32_t subtask : {0u, 1u, 2u}) {
      auto env = Way{fusion, true, 0, 3}.environment();
      env.from_source(Hasty{subtask}, "hasty")
          .map([](const std::int64_t& n) { return n; })
          .discard();
      try {
        env.execute();
        ADD_FAILURE() << "it got one";
      } catch (const JobFailed& failed) {
        EXPECT_EQ(failed.failure().operator_name, "hasty");
        EXPECT_EQ(failed.failure().subtask, subtask);
        EXPECT_NE(failed.failure().message.find("source 'hasty' asks for a split in open()"),
                  std::string::npos)
            << failed.failure().message;
      }
    }
  }
}

TEST(Sources, AGeneratorsFunctionKeepsWhatItChangesFromBatchToBatch) {
  const auto kCount = static_cast<std::uint64_t>(scaled(100'000, 20'000));
  for (const std::int64_t batch : {0, 1000, 7}) {
    for (const int parallelism : {1, 3}) {
      for (const bool fusion : {true, false}) {
        const Way way{fusion, true, batch, parallelism};
        SCOPED_TRACE(way.text());
        auto env = way.environment();
        // Each subtask's copy counts its own calls, one for each number.
        auto rows = sorted(
            env.generate([calls = std::uint64_t{0}](std::uint64_t) mutable { return calls++; },
                         kCount)
                .execute_and_collect()
                .to_vector());
        std::vector<std::uint64_t> expected;
        for (std::uint64_t subtask = 0; subtask < static_cast<std::uint64_t>(parallelism);
             ++subtask) {
          const auto p = static_cast<std::uint64_t>(parallelism);
          const std::uint64_t mine = (kCount + p - 1 - subtask) / p;
          for (std::uint64_t i = 0; i < mine; ++i) expected.push_back(i);
        }
        ASSERT_TRUE(rows == sorted(std::move(expected)));
      }
    }
  }
}

TEST(Sources, ARateThatIsNoneIsRefused) {
  auto env = Way{}.environment();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::pair<double, const char*> rates[] = {
      {std::nan(""), "nan"}, {-1, "-1"}, {-0.5, "-0.5"}, {kInfinity, "inf"}, {-kInfinity, "-inf"}};
  for (const auto& [rate, text] : rates) {
    for (const bool forever : {false, true}) {
      try {
        const auto number = [](std::uint64_t i) { return i; };
        forever ? env.generate_forever(number, rate) : env.generate(number, 10, rate);
        ADD_FAILURE() << text << " was taken";
      } catch (const InvalidInput& refused) {
        EXPECT_NE(std::string(refused.what()).find(std::string("a rate of ") + text + " records"),
                  std::string::npos)
            << refused.what();
      }
    }
  }
}

TEST(Sources, RatesOfAnySizeAreKeptToAndCanBeCanceled) {
  for (const double rate : {1e300, 1e18, 5e-324, 1e-300}) {
    SCOPED_TRACE(rate);
    auto env = Way{true, true, 0, 2}.environment();
    // The first record of each subtask is due at once, whatever the rate.
    auto rows = env.generate_forever([](std::uint64_t i) { return i; }, rate).execute_and_collect();
    EXPECT_TRUE(rows.next().has_value());
    rows.client().cancel().get();
    EXPECT_EQ(rows.client().result().get().status, JobStatus::kCanceled);
  }
  for (const double rate : {1e300, 1e18}) {
    auto env = Way{true, true, 0, 2}.environment();
    const auto rows = env.generate([](std::uint64_t i) { return i; }, 100'000, rate)
                          .execute_and_collect()
                          .to_vector();
    EXPECT_EQ(rows.size(), 100'000u);
  }
}

TEST(Pace, StaysWithinItsRange) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  const detail::Pace slow(10, 5 * kSecond);
  EXPECT_EQ(slow.due(5 * kSecond, 0), 1u);
  EXPECT_EQ(slow.due(6 * kSecond, 0), 11u);
  EXPECT_EQ(slow.due(6 * kSecond, 11), 0u);
  EXPECT_EQ(slow.due(6 * kSecond, 12), 0u) << "never less than none";
  EXPECT_EQ(slow.next_at(6 * kSecond, 11), 6 * kSecond + kSecond / 10 + 1);
  EXPECT_EQ(slow.next_at(9 * kSecond, 11), 9 * kSecond + 1) << "later than now";
  EXPECT_EQ(detail::Pace(1e300, 0).due(kSecond, 7), UINT64_MAX - 7);
  EXPECT_EQ(detail::Pace(5e-324, 0).due(kSecond, 0), 1u);
  EXPECT_EQ(detail::Pace(5e-324, 0).next_at(kSecond, 1), INT64_MAX);
}

// Always says that it waits for a time that has passed.
struct Impatient {
  using Record = std::int64_t;
  using Split = std::uint32_t;
  struct Reader {
    std::int64_t made = 0;
    void start(Split) {}
    template <class Out>
    ReadStatus read(Out& out, std::uint32_t) {
      if (made == 0) out(made++);
      return ReadStatus::waiting_until(INT64_MIN);
    }
  };
  bool bounded() const { return false; }
  FixedSplits<Split> enumerator(std::uint32_t) const { return FixedSplits<Split>({1}); }
  Reader reader(RuntimeContext&) const { return {}; }
};

TEST(Sources, OneThatWaitsForThePastCanBeCanceled) {
  auto env = Way{}.environment();
  auto rows = env.from_source(Impatient{}, "impatient").execute_and_collect();
  EXPECT_EQ(rows.next(), std::int64_t{0});
  rows.client().cancel().get();
  EXPECT_EQ(rows.client().result().get().status, JobStatus::kCanceled);
}

}  // namespace
}  // namespace freshet::testing
