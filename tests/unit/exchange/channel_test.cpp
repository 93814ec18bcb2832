#include "exchange/channel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/plugin/record_type.h"
#include "scale.h"
#include "task/scheduler.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

const RecordType& ints() { return record_type<std::int64_t>(); }

// A budget, the two waiters and the channel between them.
struct Pair {
  explicit Pair(Channel::Options options, std::size_t batches = 100)
      : budget(batches * 4096, 4096), channel(ints(), writer, reader, budget, options) {}

  Batch* batch_of(std::int64_t number) {
    Batch* batch = channel.obtain();
    batch->rows<std::int64_t>()[0] = number;
    batch->set_size(1);
    return batch;
  }
  bool push(std::int64_t number) {
    return channel.push({Element::Kind::batch, batch_of(number), 0});
  }
  // [reader fiber] False at the end.
  bool read(Element& element) {
    reader.wait([&] { return !channel.empty() || channel.ended(); });
    return channel.pop(element);
  }
  // [reader fiber] The number in the next element; -1 at the end.
  std::int64_t read_number() {
    Element element;
    if (!read(element)) return -1;
    if (element.kind != Element::Kind::batch) return element.value;
    EXPECT_EQ(element.batch->size(), 1u);
    const std::int64_t number = element.batch->rows<std::int64_t>()[0];
    channel.give_back(element.batch);
    return number;
  }

  BufferBudget budget;
  Waiter writer, reader;
  Channel channel;
};

TEST(Channel, GivesElementsInOrderThenTheEnd) {
  TestFibers fibers(31);
  Pair pair({.depth = 4});
  std::vector<std::int64_t> read;
  fibers.start("writer", [&] {
    for (std::int64_t i = 0; i < 100; ++i) {
      if (i % 3 == 0) {
        pair.channel.push({Element::Kind::watermark, nullptr, i});
      } else {
        pair.push(i);
      }
    }
    pair.channel.push({Element::Kind::end_of_input, nullptr, 100});
    pair.channel.close();
  });
  fibers.start("reader", [&] {
    for (std::int64_t number; (number = pair.read_number()) >= 0;) read.push_back(number);
    EXPECT_TRUE(pair.channel.ended());
  });
  fibers.run_until_idle();
  ASSERT_EQ(read.size(), 101u);
  for (std::int64_t i = 0; i <= 100; ++i) EXPECT_EQ(read[static_cast<std::size_t>(i)], i);
  EXPECT_TRUE(fibers.ended("writer"));
}

TEST(Channel, HoldsTheWriterBackUntilTheReaderTakesAnElement) {
  TestFibers fibers(32);
  Pair pair({.depth = 2});
  fibers.start("writer", [&] {
    for (std::int64_t i = 0; i < 3; ++i) ASSERT_TRUE(pair.push(i));
    pair.channel.close();
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("writer"));  // room for two, three batches
  EXPECT_EQ(pair.channel.size(), 2u);

  Element element;
  ASSERT_TRUE(pair.channel.pop(element));
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("writer"));
  EXPECT_FALSE(pair.channel.ended());
  pair.channel.give_back(element.batch);
}

TEST(Channel, TryPushLeavesTheElementToTheCallerWhenFull) {
  TestFibers fibers(33);
  Pair pair({.depth = 1});
  fibers.start("writer", [&] {
    EXPECT_TRUE(pair.channel.try_push({Element::Kind::watermark, nullptr, 1}));
    Batch* batch = pair.batch_of(2);
    EXPECT_FALSE(pair.channel.try_push({Element::Kind::batch, batch, 0}));
    pair.channel.discard(batch);
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("writer"));
  EXPECT_EQ(pair.channel.batches(), 0u);
}

TEST(Channel, SendsBatchesHomeToTheWriter) {
  TestFibers fibers(34);
  Pair pair({.depth = 4, .max_rows = 3});
  fibers.start("writer", [&] {
    Batch* batch = pair.batch_of(1);
    EXPECT_EQ(batch->capacity(), 3u);
    EXPECT_EQ(pair.channel.spare(), nullptr);
    pair.channel.push({Element::Kind::batch, batch, 0});
    Element element;
    ASSERT_TRUE(pair.channel.pop(element));
    pair.channel.give_back(element.batch);
    EXPECT_EQ(pair.channel.obtain(), batch);
    EXPECT_EQ(batch->size(), 0u);
    pair.channel.discard(batch);
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("writer"));
}

TEST(Channel, OwnsNoBatchWhileItIsIdle) {
  TestFibers fibers(35);
  Pair pair({.depth = 4});
  fibers.start("writer", [&] {
    for (std::int64_t i = 0; i < 4; ++i) pair.push(i);
    Element element;
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(pair.channel.pop(element));
      pair.channel.give_back(element.batch);
    }
    EXPECT_EQ(pair.channel.batches(), 4u);
    pair.channel.trim();
    EXPECT_EQ(pair.channel.batches(), 1u);
    ASSERT_TRUE(pair.channel.pop(element));
    pair.channel.give_back(element.batch);  // comes home to a trimmed channel
    EXPECT_EQ(pair.channel.batches(), 0u);
    EXPECT_EQ(pair.budget.borrowed(), 0);
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("writer"));
}

TEST(Channel, AbandonedFreesAndRefusesWhatTheWriterSends) {
  TestFibers fibers(36);
  Pair pair({.depth = 2});
  std::vector<bool> sent;
  fibers.start("writer", [&] {
    for (std::int64_t i = 0; i < 5; ++i) sent.push_back(pair.push(i));
    pair.channel.close();
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("writer"));
  pair.channel.abandon();
  pair.channel.abandon();
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("writer"));
  EXPECT_EQ(sent, (std::vector<bool>{true, true, false, false, false}));
  EXPECT_EQ(pair.channel.batches(), 0u);
}

TEST(Channel, CanceledWriterGivesItsBatchUp) {
  TestFibers fibers(37);
  Pair pair({.depth = 1});
  bool canceled = false;
  fibers.start("writer", [&] {
    pair.push(1);
    try {
      pair.push(2);
    } catch (const Canceled&) {
      canceled = true;
    }
    pair.channel.close();
  });
  fibers.run_until_idle();
  fibers.cancel("writer");
  fibers.run_until_idle();
  EXPECT_TRUE(canceled);
  EXPECT_EQ(pair.channel.batches(), 1u);
  pair.channel.abandon();
}

TEST(Channel, MakesDoWithOneBatchInAShortage) {
  TestFibers fibers(38);
  Pair pair({.depth = 8}, /*batches=*/1);
  std::vector<std::int64_t> read;
  fibers.start("writer", [&] {
    for (std::int64_t i = 0; i < 20; ++i) pair.push(i);
    pair.channel.close();
  });
  fibers.run_until_idle();
  EXPECT_EQ(pair.channel.size(), 1u);  // waits for the batch, not for room
  fibers.start("reader", [&] {
    for (std::int64_t number; (number = pair.read_number()) >= 0;) read.push_back(number);
  });
  fibers.run_until_idle();
  EXPECT_EQ(read.size(), 20u);
  EXPECT_TRUE(fibers.ended("writer"));
}

TEST(Channel, WriterInAShortageLearnsThatItIsAbandoned) {
  TestFibers fibers(39);
  Pair pair({.depth = 8}, /*batches=*/1);
  Element kept;
  int sent = 0;
  fibers.start("writer", [&] {
    while (pair.push(sent)) ++sent;
    pair.channel.close();
  });
  fibers.run_until_idle();
  ASSERT_TRUE(pair.channel.pop(kept));  // the only one, and it does not come back
  pair.channel.abandon();
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("writer"));
  EXPECT_EQ(sent, 1);
  pair.channel.give_back(kept.batch);
}

// Reader and writer do what the seed says; a deque says what must come out.
TEST(Channel, BehavesLikeADequeWhateverTheOrder) {
  const int runs = testing::scaled(2000, 100);
  int ended = 0, abandoned = 0, canceled = 0, held_back = 0;
  for (int run = 0; run < runs; ++run) {
    std::mt19937 random(static_cast<std::uint32_t>(run));
    TestFibers fibers(static_cast<std::uint64_t>(run));
    Pair pair({.depth = static_cast<std::uint32_t>(1 + random() % 9)}, 1 + random() % 12);
    std::deque<std::int64_t> model;
    const int fate = static_cast<int>(random() % 4);  // 0, 1: read to the end
    const auto length = static_cast<std::int64_t>(random() % 60);
    bool writer_canceled = false;
    fibers.start("writer", [&] {
      std::mt19937 mine(random());
      try {
        for (std::int64_t i = 0; i < length; ++i) {
          // Into the model first: the reader may run inside push().
          Batch* batch = mine() % 4 ? pair.batch_of(i) : nullptr;
          if (!pair.channel.abandoned()) model.push_back(i);
          const Element element{batch ? Element::Kind::batch : Element::Kind::barrier, batch, i};
          if (pair.channel.size() >= 1) ++held_back;
          if (!pair.channel.push(element)) break;
          if (mine() % 5 == 0) yield_fiber();
          if (mine() % 20 == 0) pair.channel.trim();
        }
      } catch (const Canceled&) {
        writer_canceled = true;
      }
      pair.channel.close();
    });
    const int stop_after = static_cast<int>(random() % 40);
    fibers.start("reader", [&] {
      std::mt19937 mine(random());
      for (int i = 0;; ++i) {
        if (fate == 2 && i == stop_after) {
          pair.channel.abandon();
          ++abandoned;
          return;
        }
        const std::int64_t number = pair.read_number();
        if (number < 0) break;
        ASSERT_FALSE(model.empty());
        ASSERT_EQ(number, model.front());
        model.pop_front();
        if (mine() % 4 == 0) yield_fiber();
      }
      ++ended;
      // A canceled push may have left its number in the model.
      EXPECT_LE(model.size(), writer_canceled ? 1u : 0u);
    });
    if (fate == 3) {
      fibers.start("killer", [&] {
        for (int i = 0; i < stop_after; ++i) yield_fiber();
        fibers.cancel("writer");
      });
    }
    fibers.run_until_idle();
    ASSERT_TRUE(fibers.ended("writer")) << "run " << run;
    ASSERT_TRUE(fibers.ended("reader")) << "run " << run;
    canceled += writer_canceled;
  }
  // The draws reach every case.
  EXPECT_GT(ended, runs / 4);
  EXPECT_GT(abandoned, runs / 10);
  EXPECT_GT(canceled, 0);
  EXPECT_GT(held_back, 0);
}

// What the rows of batches under way keep on the heap is memory, too.
TEST(Channel, CountsTheStringsOfItsRowsAndHoldsTheWriterBack) {
  constexpr std::size_t kBatch = 4096, kText = 8192, kBudget = 16 * kBatch;
  constexpr int kCount = 100;
  using Text = std::string;
  TestFibers fibers(37);
  BufferBudget budget(kBudget, kBatch, kBatch);
  Waiter writer, reader;
  Channel channel(record_type<Text>(), writer, reader, budget, {.depth = 8});
  std::size_t most = 0;
  fibers.start("writer", [&] {
    for (int i = 0; i < kCount; ++i) {
      Batch* batch = channel.obtain();
      detail::Rows<Text>::construct(*batch, batch->rows<Text>(),
                                    Text(kText, static_cast<char>('a' + i % 26)));
      batch->set_size(1);
      EXPECT_TRUE(batch->is_heavy());
      ASSERT_TRUE(channel.push({Element::Kind::batch, batch, 0}));
      most = std::max(most, static_cast<std::size_t>(budget.borrowed()) * kBatch +
                                static_cast<std::size_t>(budget.extra_bytes()));
    }
    channel.close();
  });
  fibers.run_until_idle();
  EXPECT_LE(channel.size(), 1 + kBudget / (kBatch + kText)) << "the writer waits";
  int read = 0;
  fibers.start("reader", [&] {
    for (;;) {
      reader.wait([&] { return !channel.empty() || channel.ended(); });
      Element element;
      if (!channel.pop(element)) return;
      EXPECT_EQ(element.batch->rows<Text>()[0], Text(kText, static_cast<char>('a' + read % 26)));
      ++read;
      channel.give_back(element.batch);
    }
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.ended("writer"));
  EXPECT_EQ(read, kCount);
  EXPECT_LE(most, kBudget + kBatch + kText);
  channel.trim();
  EXPECT_EQ(budget.borrowed(), 0);
  EXPECT_EQ(budget.extra_bytes(), 0);
}

// The same between threads, with a budget that all channels want: nobody waits for ever.
TEST(Channel, WithLargeStringsAllChannelsComeToTheirEnd) {
  const int count = testing::scaled(4'000, 200);
  constexpr std::size_t kChannels = 4, kBatch = 1024;
  BufferBudget budget(6 * kBatch, kBatch, kBatch);
  Waiter writers[kChannels], readers[kChannels];
  std::vector<std::unique_ptr<Channel>> channels;
  for (std::size_t i = 0; i < kChannels; ++i) {
    channels.push_back(
        std::make_unique<Channel>(record_type<std::string>(), writers[i], readers[i], budget));
  }
  std::atomic<int> read{0};
  {
    SchedulerPool pool(SystemClock::instance(), 2);
    for (std::size_t i = 0; i < kChannels; ++i) {
      pool.spawn(i % 2, "writer", [&, i] {
        std::mt19937 random(static_cast<std::uint32_t>(i));
        for (int n = 0; n < count; ++n) {
          Batch* batch = channels[i]->obtain();
          detail::Rows<std::string>::construct(*batch, batch->rows<std::string>(),
                                               std::string(random() % 4'000, 'x'));
          batch->set_size(1);
          ASSERT_TRUE(channels[i]->push({Element::Kind::batch, batch, 0}));
        }
        channels[i]->close();
      });
      pool.spawn((i + 1) % 2, "reader", [&, i] {
        for (;;) {
          readers[i].wait([&] { return !channels[i]->empty() || channels[i]->ended(); });
          Element element;
          if (!channels[i]->pop(element)) return;
          channels[i]->give_back(element.batch);
          ++read;
        }
      });
    }
  }
  EXPECT_EQ(read, count * static_cast<int>(kChannels));
  channels.clear();
  EXPECT_EQ(budget.borrowed(), 0);
  EXPECT_EQ(budget.extra_bytes(), 0);
}

// Two writers and two readers, each pair on two threads, within a budget that is too small.
TEST(Channel, LosesNothingBetweenThreadsThatWaitForEachOther) {
  const std::int64_t count = testing::scaled(40'000, 500);
  for (std::size_t batches : {std::size_t{3}, std::size_t{100}}) {
    BufferBudget budget(batches * 4096, 4096);
    Waiter writers[2], readers[2];
    std::vector<std::unique_ptr<Channel>> channels;
    for (std::size_t i = 0; i < 4; ++i) {
      channels.push_back(std::make_unique<Channel>(ints(), writers[i / 2], readers[i % 2], budget));
    }
    std::int64_t sums[2] = {0, 0};
    {
      SchedulerPool pool(SystemClock::instance(), 2);
      for (std::size_t w = 0; w < 2; ++w) {
        pool.spawn(w, "writer", [&, w] {
          for (std::int64_t i = 0; i < count; ++i) {
            Channel& channel = *channels[w * 2 + static_cast<std::size_t>(i) % 2];
            Batch* batch = channel.obtain();
            batch->rows<std::int64_t>()[0] = i;
            batch->set_size(1);
            ASSERT_TRUE(channel.push({Element::Kind::batch, batch, 0}));
          }
          for (std::size_t r = 0; r < 2; ++r) channels[w * 2 + r]->close();
        });
      }
      for (std::size_t r = 0; r < 2; ++r) {
        pool.spawn(r, "reader", [&, r] {
          Channel* inputs[2] = {channels[r].get(), channels[2 + r].get()};
          auto ended = [&] { return inputs[0]->ended() && inputs[1]->ended(); };
          std::int64_t last[2] = {-1, -1};
          for (;;) {
            readers[r].wait([&] { return !inputs[0]->empty() || !inputs[1]->empty() || ended(); });
            if (ended()) return;
            for (int i = 0; i < 2; ++i) {
              Element element;
              if (!inputs[i]->pop(element)) continue;
              const std::int64_t number = element.batch->rows<std::int64_t>()[0];
              EXPECT_GT(number, last[i]);
              last[i] = number;
              sums[r] += number;
              inputs[i]->give_back(element.batch);
            }
          }
        });
      }
    }
    EXPECT_EQ(sums[0] + sums[1], count * (count - 1));
    channels.clear();
    EXPECT_EQ(budget.borrowed(), 0);
  }
}

}  // namespace
}  // namespace freshet::core
