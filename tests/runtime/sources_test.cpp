// Elements, sequences, generators and sources of one's own.
#include <atomic>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <vector>

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

}  // namespace
}  // namespace freshet::testing
