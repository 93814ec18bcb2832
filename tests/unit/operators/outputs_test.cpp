#include "operators/outputs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "freshet/key_hash.h"
#include "freshet/plugin/record_type.h"
#include "scale.h"
#include "task/waiter.h"

namespace freshet::core {
namespace {

using testing::scaled;
using Word = Keyed<std::string, NoValue>;

// Channels to several readers, deep enough that no writer ever waits.
class ChannelEdges : public ::testing::Test {
 protected:
  template <class T>
  ChannelEdge& edge(Partitioning partitioning, std::uint32_t readers, std::uint32_t max_rows = 0) {
    std::vector<Channel*> to;
    for (std::uint32_t i = 0; i < readers; ++i) {
      channels_.push_back(std::make_unique<Channel>(record_type<T>(), writer_, reader_, budget_,
                                                    Channel::Options{4096, max_rows}));
      to.push_back(channels_.back().get());
    }
    edge_ = std::make_unique<ChannelEdge>(partitioning, to, 128, 1);
    return *edge_;
  }
  // What reader `i` finds, with its timestamps; watermarks as rows of their own.
  template <class T, class Take>
  void drain(std::uint32_t i, Take take) {
    Element element;
    while (channels_[i]->pop(element)) {
      if (element.kind != Element::Kind::batch) continue;
      for (std::uint32_t row = 0; row < element.batch->size(); ++row) {
        take(element.batch->rows<T>()[row], element.batch->timestamp(row));
      }
      channels_[i]->give_back(element.batch);
    }
  }
  void TearDown() override {
    edge_.reset();
    for (auto& channel : channels_) channel->abandon();
  }

  Waiter writer_, reader_;
  BufferBudget budget_{64 << 20, 16 * 1024};
  std::vector<std::unique_ptr<Channel>> channels_;
  std::unique_ptr<ChannelEdge> edge_;
};

void fill(Batch& batch, std::int64_t first, std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) {
    batch.rows<std::int64_t>()[i] = first + i;
    batch.timestamp_column()[i] = 1000 + first + i;
  }
  batch.set_size(count);
  batch.set_has_timestamps(true);
}

TEST_F(ChannelEdges, EachPartitioningGivesEveryRowToTheReadersItPromises) {
  std::mt19937_64 random(11);
  const int rounds = scaled(200, 20);
  for (const Partitioning partitioning :
       {Partitioning::kRebalance, Partitioning::kShuffle, Partitioning::kBroadcast}) {
    for (int round = 0; round < rounds; ++round) {
      const auto readers = static_cast<std::uint32_t>(1 + random() % 8);
      ChannelEdge& to =
          edge<std::int64_t>(partitioning, readers, static_cast<std::uint32_t>(random() % 5));
      std::int64_t sent = 0;
      Batch batch(record_type<std::int64_t>(), 4096);
      for (int i = 0; i < 5; ++i) {
        const auto count = static_cast<std::uint32_t>(random() % 100);
        fill(batch, sent, count);
        sent += count;
        if (count > 0) to.deliver(batch, true);
        batch.clear();
      }
      to.flush();
      std::vector<std::int64_t> seen;
      std::vector<std::size_t> shares;
      for (std::uint32_t i = 0; i < readers; ++i) {
        std::int64_t last = -1;
        std::size_t share = 0;
        drain<std::int64_t>(i, [&](std::int64_t row, std::int64_t timestamp) {
          EXPECT_GT(row, last) << "rows of one writer keep their order";
          EXPECT_EQ(timestamp, 1000 + row);
          last = row;
          seen.push_back(row);
          ++share;
        });
        shares.push_back(share);
      }
      std::sort(seen.begin(), seen.end());
      std::vector<std::int64_t> expected;
      const std::uint32_t copies = partitioning == Partitioning::kBroadcast ? readers : 1;
      for (std::int64_t row = 0; row < sent; ++row) expected.insert(expected.end(), copies, row);
      ASSERT_EQ(seen, expected) << name_of(partitioning) << " to " << readers;
      if (partitioning == Partitioning::kRebalance) {
        const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
        EXPECT_LE(*most - *least, 1u);
      }
      TearDown();
      channels_.clear();
    }
  }
}

TEST_F(ChannelEdges, AKeyGoesToTheReaderThatOwnsItsGroup) {
  ChannelEdge& to = edge<Word>(Partitioning::kHash, 5);
  Batch batch(record_type<Word>(), 64 * 1024);
  for (int i = 0; i < 300; ++i) {
    std::string key = "key " + std::to_string(i);
    new (batch.rows<Word>() + i) Word{key_hash(key), key};
  }
  batch.set_size(300);
  to.deliver(batch, true);
  to.flush();
  std::set<std::string> seen;
  for (std::uint32_t reader = 0; reader < 5; ++reader) {
    drain<Word>(reader, [&](const Word& word, std::int64_t timestamp) {
      EXPECT_EQ(word.hash, key_hash(word.key));
      EXPECT_EQ(subtask_of_group(key_group(word.hash, 128), 128, 5), reader);
      EXPECT_EQ(timestamp, kNoTimestamp);
      EXPECT_TRUE(seen.insert(word.key).second);
    });
  }
  EXPECT_EQ(seen.size(), 300u);
}

TEST_F(ChannelEdges, AWatermarkIsHeldBackUntilRowsAreSentAndNeverOvertakesThem) {
  ChannelEdge& to = edge<std::int64_t>(Partitioning::kRebalance, 2);
  Batch batch(record_type<std::int64_t>(), 4096);
  fill(batch, 0, 4);
  to.deliver(batch, true);
  to.watermark(7);
  to.watermark(9);
  EXPECT_TRUE(channels_[0]->empty());
  to.flush();
  for (auto& channel : channels_) {
    Element first, second;
    ASSERT_TRUE(channel->pop(first));
    EXPECT_EQ(first.kind, Element::Kind::batch);
    channel->give_back(first.batch);
    ASSERT_TRUE(channel->pop(second));
    EXPECT_EQ(second.kind, Element::Kind::watermark);
    EXPECT_EQ(second.value, 9) << "the later one says it all";
    EXPECT_TRUE(channel->empty());
  }
  to.end();
  Element last;
  ASSERT_TRUE(channels_[1]->pop(last));
  EXPECT_EQ(last.kind, Element::Kind::end_of_input);
  EXPECT_TRUE(channels_[1]->ended());
}

// An edge that notes whether it was told that nobody else reads the rows.
struct NotingEdge final : OutputEdge {
  void deliver(Batch& batch, bool exclusive) override {
    rows += batch.size();
    told_exclusive = exclusive;
  }
  void watermark(std::int64_t timestamp) override { last_watermark = timestamp; }
  std::uint64_t rows = 0;
  bool told_exclusive = false;
  std::int64_t last_watermark = kNoTimestamp;
};

TEST(TaskOutput, RowsAreExclusiveToASingleEdgeAlone) {
  NotingEdge first, second;
  TaskOutput output({4096, 0});
  output.add(first);
  Batch* batch = &output.open(record_type<std::int64_t>());
  fill(*batch, 0, 3);
  batch = &output.send(*batch, true);
  EXPECT_TRUE(batch->empty());
  EXPECT_EQ(first.rows, 3u);
  EXPECT_TRUE(first.told_exclusive);

  // Of an operator's own batch only if the runtime has said so.
  Batch own(record_type<std::int64_t>(), 4096);
  fill(own, 0, 2);
  output.deliver(own);
  EXPECT_FALSE(first.told_exclusive);
  own.set_exclusive(true);
  output.deliver(own);
  EXPECT_TRUE(first.told_exclusive);

  output.add(second);
  output.deliver(own);
  EXPECT_FALSE(first.told_exclusive);
  EXPECT_FALSE(second.told_exclusive);
  EXPECT_EQ(second.rows, 2u);
  output.watermark(5);
  EXPECT_EQ(first.last_watermark, 5);
  EXPECT_EQ(second.last_watermark, 5);
}

}  // namespace
}  // namespace freshet::core
