// Timestamps and watermarks: no record comes behind the watermark that was promised for it.
#include <map>
#include <optional>
#include <tuple>
#include <vector>

#include "freshet/error.h"
#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

const std::uint64_t kCount = static_cast<std::uint64_t>(scaled(20'000, 2'000));
constexpr std::int64_t kLate = 50;

// Rising times, each up to kLate ms behind the highest one before it.
std::int64_t time_of(std::uint64_t i) {
  return static_cast<std::int64_t>(i) * 2 - static_cast<std::int64_t>(mixed(i) % (kLate / 2));
}

// (subtask, record's time, watermark when it came, the record)
using Seen = std::tuple<std::uint32_t, std::int64_t, std::int64_t, std::uint64_t>;

struct Look {
  void operator()(const std::uint64_t& i, ProcessContext& context, Collector<Seen>& out) const {
    out(Seen(context.runtime().subtask_index(), context.timestamp(), context.watermark(), i));
  }
};

void expect_no_late_record(const std::vector<Seen>& rows) {
  std::map<std::uint32_t, std::int64_t> watermarks;
  for (const auto& [subtask, time, watermark, i] : rows) {
    ASSERT_EQ(time, time_of(i));
    ASSERT_GT(time, watermark) << "record " << i << " of subtask " << subtask;
    auto [last, first] = watermarks.try_emplace(subtask, watermark);
    ASSERT_GE(watermark, last->second) << "subtask " << subtask;
    last->second = watermark;
  }
}

std::int64_t highest_watermark(const std::vector<Seen>& rows) {
  std::int64_t highest = kNoTimestamp;
  for (const auto& row : rows) highest = std::max(highest, std::get<2>(row));
  return highest;
}

TEST(EventTime, FollowsTheHighestTimestampAtItsDistance) {
  // A batch is one record, so each is seen with the watermark of those before it.
  for (const bool fusion : {true, false}) {
    for (const bool chaining : {true, false}) {
      if (fusion && !chaining) continue;
      auto env = Way{fusion, chaining, 1, 1}.environment();
      const auto rows = env.generate([](std::uint64_t i) { return i; }, 500)
                            .assign_timestamps(&time_of, kLate)
                            .process(Look{})
                            .execute_and_collect()
                            .to_vector();
      ASSERT_EQ(rows.size(), 500u);
      expect_no_late_record(rows);
      if (!chaining) continue;
      std::int64_t highest = kNoTimestamp;
      for (std::uint64_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(std::get<2>(rows[i]), highest == kNoTimestamp ? highest : highest - kLate - 1);
        highest = std::max(highest, time_of(i));
      }
    }
  }
}

TEST(EventTime, HoldsThroughExchangesOfAllKinds) {
  run_ways(
      ways(),
      [](auto& env) {
        auto stamped = env.generate([](std::uint64_t i) { return i; }, kCount)
                           .assign_timestamps(&time_of, kLate);
        return stamped.rebalance()
            .map([](const std::uint64_t& i) { return i; })
            .shuffle()
            .process(Look{})
            .execute_and_collect()
            .to_vector();
      },
      [](const std::vector<Seen>& rows, const Way&) {
        EXPECT_EQ(rows.size(), kCount);
        expect_no_late_record(rows);
      });
}

TEST(EventTime, OfAUnionIsThatOfItsSlowestStream) {
  run_ways(
      ways(),
      [](auto& env) {
        auto fast = env.generate([](std::uint64_t i) { return i; }, kCount)
                        .assign_timestamps(&time_of, kLate);
        auto slow = env.generate([](std::uint64_t i) { return i; }, 40, 1000.0)
                        .assign_timestamps(&time_of, kLate);
        return fast.union_with(slow).process(Look{}).execute_and_collect().to_vector();
      },
      [](const std::vector<Seen>& rows, const Way&) {
        EXPECT_EQ(rows.size(), kCount + 40);
        expect_no_late_record(rows);
      });
}

TEST(EventTime, PassesFiltersKeysAndSideOutputs) {
  struct Aside {
    OutputTag<std::uint64_t> tag{"aside"};
    void write_bound(PayloadWriter&) const {}
    static Aside read_bound(PayloadReader&) { return {}; }
    void operator()(const std::uint64_t& i, ProcessContext& context,
                    Collector<std::uint64_t>& out) const {
      if (i % 2) {
        context.output(tag, i);
      } else {
        out(i);
      }
    }
  };
  for (const Way& way : {Way{true, true, 5, 1}, Way{false, true, 1, 1}, Way{true, false, 3, 1}}) {
    SCOPED_TRACE(way.text());
    // Slow, so that watermarks are sent in between.
    const auto numbers = [](auto& env) {
      return env.generate([](std::uint64_t i) { return i; }, 200, 2000.0)
          .assign_timestamps(&time_of, kLate)
          .filter([](const std::uint64_t&) { return true; });
    };
    for (const bool aside : {false, true}) {
      for (const bool chained : {false, true}) {
        SCOPED_TRACE(std::string(aside ? "side" : "main") + (chained ? ", chained" : ""));
        auto env = way.environment();
        auto split = numbers(env).process(Aside{}, OutputTag<std::uint64_t>{"aside"});
        DataStream<std::uint64_t> half = split;
        if (aside) half = split.side_output(OutputTag<std::uint64_t>{"aside"});
        auto looked = half.process(Look{});
        if (!chained) looked.disable_chaining();
        const auto rows = looked.execute_and_collect().to_vector();
        EXPECT_EQ(rows.size(), 100u);
        expect_no_late_record(rows);
        EXPECT_GT(highest_watermark(rows), 100);
      }
    }
  }
}

// Gives time i to record i, and says so itself.
struct Clockwork {
  using Record = std::uint64_t;
  using Split = std::uint32_t;
  static constexpr bool kTimestamps = true;
  struct Reader {
    std::uint64_t at = 0;
    void start(Split) {}
    template <class Out>
    ReadStatus read(Out& out, std::uint32_t records) {
      for (std::uint32_t k = 0; k < records && at < 1000; ++k, ++at) out(at, time_of(at));
      return at == 1000 ? ReadStatus::split_done() : ReadStatus::more();
    }
    std::int64_t watermark() const {
      return at == 0 ? kNoTimestamp : static_cast<std::int64_t>(at) * 2 - kLate;
    }
  };
  bool bounded() const { return true; }
  FixedSplits<Split> enumerator(std::uint32_t) const { return FixedSplits<Split>({0}); }
  Reader reader(RuntimeContext&) const { return {}; }
};

TEST(EventTime, CanComeFromTheSourceItself) {
  run_ways(
      ways(),
      [](auto& env) {
        return env.from_source(Clockwork{}, "clockwork")
            .process(Look{})
            .execute_and_collect()
            .to_vector();
      },
      [](const std::vector<Seen>& rows, const Way& way) {
        EXPECT_EQ(rows.size(), 1000u);
        expect_no_late_record(rows);
        if (way.batch_records == 1 && way.chaining) {
          EXPECT_GE(highest_watermark(rows), 1900);
        }
      });
}

TEST(EventTime, IsNothingWhereNobodyAssignsIt) {
  run_ways(
      ways(),
      [](auto& env) {
        return env.generate([](std::uint64_t i) { return i; }, 100)
            .process(Look{})
            .execute_and_collect()
            .to_vector();
      },
      [](const std::vector<Seen>& rows, const Way&) {
        EXPECT_EQ(rows.size(), 100u);
        for (const auto& [subtask, time, watermark, i] : rows) {
          EXPECT_EQ(time, kNoTimestamp);
          EXPECT_EQ(watermark, kNoTimestamp);
        }
      });
}

TEST(EventTime, RecordsWithAndWithoutTimestampsMayMeet) {
  run_ways(
      ways(),
      [](auto& env) {
        auto stamped = env.generate([](std::uint64_t i) { return i; }, 1000)
                           .assign_timestamps(&time_of, kLate);
        auto plain = env.generate([](std::uint64_t i) { return i + 1'000'000; }, 1000);
        return stamped.union_with(plain)
            .rebalance()
            .process(Look{})
            .execute_and_collect()
            .to_vector();
      },
      [](const std::vector<Seen>& rows, const Way&) {
        EXPECT_EQ(rows.size(), 2000u);
        for (const auto& [subtask, time, watermark, i] : rows) {
          EXPECT_EQ(time, i >= 1'000'000 ? kNoTimestamp : time_of(i));
        }
      });
}

TEST(EventTime, NeverWrapsAroundAtTheEndsOfTime) {
  constexpr std::int64_t kFirst = INT64_MIN + 1;  // INT64_MIN is "no timestamp"
  const std::int64_t distances[] = {0, 1, 1000, INT64_MAX - 1, INT64_MAX};
  const std::vector<std::int64_t> times = {kFirst, kFirst + 5, -1, 0, 5, INT64_MAX - 1, INT64_MAX};
  for (const std::int64_t distance : distances) {
    for (const bool fusion : {true, false}) {
      SCOPED_TRACE(distance);
      auto env = Way{fusion, true, 1, 1}.environment();
      using Both = std::pair<std::int64_t, std::int64_t>;  // time and watermark
      const auto rows =
          env.from_collection(times)
              .assign_timestamps([](const std::int64_t& time) { return time; }, distance)
              .process([](const std::int64_t& time, ProcessContext& context, Collector<Both>& out) {
                out(Both(time, context.watermark()));
              })
              .execute_and_collect()
              .to_vector();
      ASSERT_EQ(rows.size(), times.size());
      std::int64_t before = kNoTimestamp;
      for (const auto& [time, watermark] : rows) {
        EXPECT_LT(watermark, time);
        // In wider numbers than those that it is made of.
        const __int128 behind = static_cast<__int128>(before) - distance - 1;
        const bool there = before != kNoTimestamp && behind >= INT64_MIN;
        EXPECT_EQ(watermark, there ? static_cast<std::int64_t>(behind) : kNoTimestamp) << time;
        before = time;
      }
    }
  }
}

TEST(EventTime, CanNotBeLateByLessThanNothing) {
  auto env = Way{}.environment();
  try {
    env.from_sequence(1, 3).assign_timestamps([](const std::int64_t& i) { return i; }, -5);
    ADD_FAILURE() << "it was taken";
  } catch (const InvalidInput& refused) {
    EXPECT_NE(std::string(refused.what()).find("an out-of-orderness of -5 ms"), std::string::npos)
        << refused.what();
  }
}

}  // namespace
}  // namespace freshet::testing
