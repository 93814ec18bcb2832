// Keyed exchange of 16-byte records between fibers: two sources and two reducers on two threads,
// over Channel. Beside it the limit: the same records made, partitioned and reduced on two threads
// that never talk.
#include <benchmark/benchmark.h>
#include <sched.h>

#include <barrier>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "clock/clock.h"
#include "exchange/channel.h"
#include "freshet/plugin/record_type.h"
#include "task/mailbox.h"
#include "task/scheduler.h"

namespace freshet {
using namespace core;
namespace {

struct Record {
  std::int64_t key, value;
};

const RecordType& records() {
  static const RecordType type = [] {
    RecordType made = record_type<std::int64_t>();
    made.size = sizeof(Record);
    made.align = alignof(Record);
    return made;
  }();
  return type;
}

struct Draw {
  std::uint64_t state;
  std::uint64_t next() {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 48;
  }
};

// Which of two reducers.
std::size_t target(std::uint64_t key) {
  const auto wide = static_cast<unsigned __int128>(key ^ 0x9E3779B97F4A7C15u) * 0xBF58476D1CE4E5B9u;
  return (static_cast<std::uint64_t>(wide) ^ static_cast<std::uint64_t>(wide >> 64)) >> 63;
}

struct Result {
  std::uint64_t count = 0;
  std::int64_t sum = 0;
  void add(const Record* rows, std::size_t count_of_rows) {
    std::int64_t local = 0;
    for (std::size_t i = 0; i < count_of_rows; ++i) local += rows[i].value ^ rows[i].key;
    sum += local;
    count += count_of_rows;
  }
};

void pin(std::size_t cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  sched_setaffinity(0, sizeof set, &set);
}

void expect_all(benchmark::State& state, const Result results[2], std::uint64_t per_source) {
  if (results[0].count + results[1].count != 2 * per_source) state.SkipWithError("records lost");
  benchmark::DoNotOptimize(results[0].sum + results[1].sum);
}

constexpr std::uint64_t kPerSource = 10'000'000;

void run_source(Channel* const outputs[2], std::uint64_t seed) {
  Draw draw{seed};
  Batch* batches[2];
  Record* at[2];
  Record* end[2];
  auto open = [&](std::size_t t) {
    batches[t] = outputs[t]->obtain();
    at[t] = batches[t]->rows<Record>();
    end[t] = at[t] + batches[t]->capacity();
  };
  auto send = [&](std::size_t t) {
    batches[t]->set_size(static_cast<std::uint32_t>(at[t] - batches[t]->rows<Record>()));
    outputs[t]->push({Element::Kind::batch, batches[t], 0});
  };
  open(0);
  open(1);
  for (std::uint64_t i = 0; i < kPerSource; ++i) {
    const std::uint64_t key = draw.next();
    const std::size_t t = target(key);
    *at[t] = {static_cast<std::int64_t>(key), static_cast<std::int64_t>(i)};
    if (++at[t] == end[t]) {
      send(t);
      open(t);
    }
  }
  for (std::size_t t = 0; t < 2; ++t) {
    send(t);
    outputs[t]->close();
  }
}

Result run_reducer(Channel* const inputs[2], Waiter& waiter) {
  Result result;
  auto ended = [&] { return inputs[0]->ended() && inputs[1]->ended(); };
  for (;;) {
    waiter.wait([&] { return !inputs[0]->empty() || !inputs[1]->empty() || ended(); });
    bool any = false;
    for (int i = 0; i < 2; ++i) {
      Element element;
      if (!inputs[i]->pop(element)) continue;
      any = true;
      result.add(element.batch->rows<Record>(), element.batch->size());
      inputs[i]->give_back(element.batch);
    }
    if (!any) return result;
  }
}

// Batches of range(0) KiB, range(1) a channel.
void BM_KeyedExchange(benchmark::State& state) {
  SchedulerPool pool(SystemClock::instance(), 2);
  for (std::size_t i = 0; i < 2; ++i) pool.spawn(i, "pin", [i] { pin(i); }).finished().get();
  // A third more than the rows, for the timestamps that are not used.
  const std::size_t batch_bytes = static_cast<std::size_t>(state.range(0)) * 1024 * 3 / 2 + 64;
  BufferBudget budget(64 * 1024 * 1024, batch_bytes);
  for (auto _ : state) {
    Waiter writers[2], readers[2];
    std::unique_ptr<Channel> channels[2][2];
    for (std::size_t w = 0; w < 2; ++w) {
      for (std::size_t r = 0; r < 2; ++r) {
        channels[w][r] = std::make_unique<Channel>(
            records(), writers[w], readers[r], budget,
            Channel::Options{.depth = static_cast<std::uint32_t>(state.range(1))});
      }
    }
    Result results[2];
    std::vector<Future<void>> ends;
    for (std::size_t w = 0; w < 2; ++w) {
      ends.push_back(
          pool.spawn(w, "source",
                     [&channels, w] {
                       Channel* outputs[2] = {channels[w][0].get(), channels[w][1].get()};
                       run_source(outputs, w);
                     })
              .finished());
      ends.push_back(pool.spawn(w, "reducer",
                                [&channels, &readers, &results, w] {
                                  Channel* inputs[2] = {channels[0][w].get(), channels[1][w].get()};
                                  results[w] = run_reducer(inputs, readers[w]);
                                })
                         .finished());
    }
    for (auto& end : ends) end.get();
    expect_all(state, results, kPerSource);
  }
  state.SetItemsProcessed(2 * static_cast<std::int64_t>(kPerSource) * state.iterations());
}
BENCHMARK(BM_KeyedExchange)
    ->Args({16, 8})
    ->Args({64, 8})
    ->Args({16, 2})
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_NothingHandedOver(benchmark::State& state) {
  SchedulerPool pool(SystemClock::instance(), 2);
  for (std::size_t i = 0; i < 2; ++i) pool.spawn(i, "pin", [i] { pin(i); }).finished().get();
  for (auto _ : state) {
    Result results[2];
    std::vector<Future<void>> ends;
    for (std::size_t w = 0; w < 2; ++w) {
      ends.push_back(
          pool.spawn(w, "alone",
                     [&results, w] {
                       constexpr std::size_t kRows = 1024;
                       std::vector<Record> rows[2];
                       for (auto& each : rows) each.resize(kRows);
                       Record* at[2] = {rows[0].data(), rows[1].data()};
                       Record* const end[2] = {at[0] + kRows, at[1] + kRows};
                       Result result;
                       Draw draw{w};
                       auto reduce = [&](std::size_t t) {
                         result.add(rows[t].data(),
                                    static_cast<std::size_t>(at[t] - rows[t].data()));
                         at[t] = rows[t].data();
                       };
                       for (std::uint64_t i = 0; i < kPerSource; ++i) {
                         const std::uint64_t key = draw.next();
                         const std::size_t t = target(key);
                         *at[t] = {static_cast<std::int64_t>(key), static_cast<std::int64_t>(i)};
                         if (++at[t] == end[t]) reduce(t);
                       }
                       reduce(0);
                       reduce(1);
                       results[w] = result;
                     })
              .finished());
    }
    for (auto& end : ends) end.get();
    expect_all(state, results, kPerSource);
  }
  state.SetItemsProcessed(2 * static_cast<std::int64_t>(kPerSource) * state.iterations());
}
BENCHMARK(BM_NothingHandedOver)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// A mail put and taken by one fiber: the price without contention.
void BM_MailPutAndTaken(benchmark::State& state) {
  Waiter waiter;
  Mailbox box(waiter);
  std::int64_t sum = 0;
  for (auto _ : state) {
    box.put([&sum] { ++sum; });
    box.take()();
  }
  benchmark::DoNotOptimize(sum);
}
BENCHMARK(BM_MailPutAndTaken);

// Two fibers of one thread take turns.
void BM_HandOverWithinAThread(benchmark::State& state) {
  SchedulerPool pool(SystemClock::instance(), 1);
  for (auto _ : state) {
    constexpr int kRounds = 100'000;
    Waiter a, b;
    int token = 0;
    auto side = [&](Waiter& mine, Waiter& other, int parity) {
      return [&, parity] {
        for (int i = 0; i < kRounds; ++i) {
          mine.wait([&] { return token == 2 * i + parity; });
          ++token;
          other.wake();
        }
      };
    };
    auto first = pool.spawn(0, "a", side(a, b, 0)).finished();
    auto second = pool.spawn(0, "b", side(b, a, 1)).finished();
    first.get();
    second.get();
  }
  state.SetItemsProcessed(state.iterations() * 200'000);
}
BENCHMARK(BM_HandOverWithinAThread)
    ->MeasureProcessCPUTime()
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace freshet

BENCHMARK_MAIN();
