// Which subtask gets which record.
#include <atomic>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "run_both_ways.h"
#include "scale.h"

namespace freshet::testing {
namespace {

using Placed = std::pair<std::uint32_t, std::int64_t>;  // (subtask, record)

// Says which subtask it ran in.
struct Place {
  std::uint32_t subtask = 0;
  void open(RuntimeContext& context) { subtask = context.subtask_index(); }
  Placed operator()(const std::int64_t& record) const { return {subtask, record}; }
};
// The record, with the subtask that wrote it in its thousands of millions.
struct MarkWriter {
  std::int64_t subtask = 0;
  void open(RuntimeContext& context) { subtask = context.subtask_index(); }
  std::int64_t operator()(const std::int64_t& record) const {
    return subtask * 1'000'000'000 + record;
  }
};
constexpr std::int64_t kWriter = 1'000'000'000;

const std::int64_t kCount = scaled(8'000, 800);

struct Parallelism {
  int writers;
  int readers;
};
constexpr Parallelism kShapes[] = {{1, 1}, {1, 4}, {4, 1}, {2, 6}, {6, 2}, {3, 5}, {8, 8}};

// Rows of `partition(writers)` in every shape and way; check(rows, shape).
template <class Partition, class Check>
void in_every_shape(Partition partition, Check check) {
  for (const Parallelism& shape : kShapes) {
    SCOPED_TRACE(std::to_string(shape.writers) + " writers, " + std::to_string(shape.readers) +
                 " readers");
    run_ways(
        {{true, true, 0}, {true, true, 1}, {false, true, 5}, {false, false, 0}},
        [&](auto& env) {
          auto written = env.from_sequence(0, kCount - 1)
                             .set_parallelism(shape.writers)
                             .map(MarkWriter{})
                             .set_parallelism(shape.writers);
          return partition(written)
              .map(Place{})
              .set_parallelism(shape.readers)
              .execute_and_collect()
              .to_vector();
        },
        [&](const std::vector<Placed>& rows, const Way&) { check(rows, shape); });
  }
}

std::map<std::uint32_t, std::int64_t> counts_of(const std::vector<Placed>& rows) {
  std::map<std::uint32_t, std::int64_t> counts;
  for (const auto& [subtask, record] : rows) ++counts[subtask];
  return counts;
}

void expect_each_once(const std::vector<Placed>& rows) {
  std::set<std::int64_t> records;
  for (const auto& [subtask, record] : rows) records.insert(record % kWriter);
  EXPECT_EQ(rows.size(), static_cast<std::size_t>(kCount));
  EXPECT_EQ(records.size(), static_cast<std::size_t>(kCount));
}

// Of one writer's records each of its readers has as many as the others, or one more.
void expect_even(const std::vector<Placed>& rows, std::size_t readers_of_a_writer) {
  std::map<std::int64_t, std::map<std::uint32_t, std::int64_t>> counts;
  for (const auto& [subtask, record] : rows) ++counts[record / kWriter][subtask];
  for (const auto& [writer, of_reader] : counts) {
    std::int64_t least = INT64_MAX, most = 0, all = 0;
    for (const auto& [reader, count] : of_reader) {
      least = std::min(least, count);
      most = std::max(most, count);
      all += count;
    }
    if (static_cast<std::size_t>(all) < readers_of_a_writer) continue;
    EXPECT_EQ(of_reader.size(), readers_of_a_writer) << "writer " << writer;
    EXPECT_LE(most - least, 1) << "writer " << writer;
  }
}

TEST(Partitioning, RebalanceDealsOutInTurn) {
  in_every_shape([](auto& stream) { return stream.rebalance(); },
                 [](const std::vector<Placed>& rows, const Parallelism& shape) {
                   expect_each_once(rows);
                   expect_even(rows, static_cast<std::size_t>(shape.readers));
                 });
}

TEST(Partitioning, RescaleStaysAmongNeighbours) {
  in_every_shape([](auto& stream) { return stream.rescale(); },
                 [](const std::vector<Placed>& rows, const Parallelism& shape) {
                   expect_each_once(rows);
                   std::map<std::int64_t, std::set<std::uint32_t>> readers;
                   std::map<std::uint32_t, std::set<std::int64_t>> writers;
                   for (const auto& [subtask, record] : rows) {
                     readers[record / kWriter].insert(subtask);
                     writers[subtask].insert(record / kWriter);
                   }
                   const auto share = [](int of, int among) {
                     return static_cast<std::size_t>((of + among - 1) / among);
                   };
                   for (const auto& [writer, its] : readers) {
                     EXPECT_LE(its.size(), share(shape.readers, shape.writers));
                   }
                   for (const auto& [reader, its] : writers) {
                     EXPECT_LE(its.size(), share(shape.writers, shape.readers));
                   }
                 });
}

TEST(Partitioning, ShuffleLeavesNoReaderOut) {
  in_every_shape([](auto& stream) { return stream.shuffle(); },
                 [](const std::vector<Placed>& rows, const Parallelism& shape) {
                   expect_each_once(rows);
                   const auto counts = counts_of(rows);
                   EXPECT_EQ(counts.size(), static_cast<std::size_t>(shape.readers));
                   for (const auto& [subtask, count] : counts) {
                     EXPECT_GT(count, kCount / shape.readers / 2);
                   }
                 });
}

TEST(Partitioning, BroadcastGivesEveryReaderEverything) {
  in_every_shape([](auto& stream) { return stream.broadcast(); },
                 [](const std::vector<Placed>& rows, const Parallelism& shape) {
                   ASSERT_EQ(rows.size(), static_cast<std::size_t>(kCount * shape.readers));
                   std::set<Placed> different(rows.begin(), rows.end());
                   EXPECT_EQ(different.size(), rows.size());
                 });
}

TEST(Partitioning, GlobalGivesTheFirstReaderEverything) {
  in_every_shape([](auto& stream) { return stream.global(); },
                 [](const std::vector<Placed>& rows, const Parallelism&) {
                   expect_each_once(rows);
                   EXPECT_EQ(counts_of(rows).size(), 1u);
                   EXPECT_EQ(rows.front().first, 0u);
                 });
}

TEST(Partitioning, ForwardStaysInItsSubtask) {
  run_ways(
      {{true, true, 0}, {false, true, 3}, {false, false, 0}},
      [](auto& env) {
        env.set_parallelism(4);
        return env.from_sequence(0, kCount - 1)
            .map(MarkWriter{})
            .forward()
            .map(Place{})
            .execute_and_collect()
            .to_vector();
      },
      [](const std::vector<Placed>& rows, const Way&) {
        expect_each_once(rows);
        for (const auto& [subtask, record] : rows) EXPECT_EQ(record / kWriter, subtask);
      });
}

TEST(Partitioning, ForwardBetweenDifferentParallelismsIsRefused) {
  auto env = Way{}.environment();
  env.from_sequence(0, 9).set_parallelism(2).forward().map(Place{}).set_parallelism(3).discard();
  try {
    env.execute();
    FAIL() << "was run";
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("forward"), std::string::npos) << error.what();
  }
}

TEST(Partitioning, EqualKeysMeetInOneSubtask) {
  run_ways(
      {{true, true, 0, 1}, {true, true, 1, 3}, {false, true, 0, 7}, {false, false, 0, 8}},
      [](auto& env) {
        return env.from_sequence(0, kCount - 1)
            .key_by([](const std::int64_t& i) { return i % 101; })
            .max([](const std::int64_t& i) { return i; })
            .map([](const std::pair<std::int64_t, std::int64_t>& row) { return row.first; })
            .map(Place{})
            .execute_and_collect()
            .to_vector();
      },
      [](const std::vector<Placed>& rows, const Way& way) {
        EXPECT_EQ(rows.size(), 101u);  // one result for each key: they met
        if (way.parallelism > 1) {
          EXPECT_GT(counts_of(rows).size(), 1u);
        }
      });
}

TEST(Partitioning, LongTextsAreBroadcastWhole) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < 60; ++i) {
    texts.push_back(std::string(mixed(i) % 60'000, static_cast<char>('a' + i % 26)));
  }
  std::vector<std::string> expected;
  for (int copy = 0; copy < 3; ++copy) expected.insert(expected.end(), texts.begin(), texts.end());
  for (const std::int64_t batch_records : {0, 1, 4}) {
    auto env = Way{true, true, batch_records, 3}.environment();
    auto rows = env.from_collection(texts)
                    .broadcast()
                    .map([](const std::string& text) { return text; })
                    .execute_and_collect()
                    .to_vector();
    EXPECT_TRUE(sorted(std::move(rows)) == sorted(expected));
  }
}

}  // namespace
}  // namespace freshet::testing
