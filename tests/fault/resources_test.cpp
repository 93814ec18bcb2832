// What a job takes while it waits, and what it leaves when it has gone.
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

#include "freshet/await.h"
#include "run_both_ways.h"
#include "sanitized.h"
#include "scale.h"
#include "stillness.h"

namespace freshet::testing {
namespace {

std::size_t entries_of(const char* folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

// KiB, from /proc/self/status.
std::size_t memory_of_this_process(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind(field + ":", 0) == 0) return std::stoul(line.substr(field.size() + 1));
  }
  return 0;
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::atomic<std::uint64_t> made{0};
std::atomic<std::uint64_t> taken{0};

std::uint64_t make(std::uint64_t i) {
  made.fetch_add(1, std::memory_order_relaxed);
  return i;
}
struct Take {
  template <class T>
  void write(const T&) {
    taken.fetch_add(1, std::memory_order_relaxed);
  }
};

// Its sinks wait before it until it is opened.
class Gate {
 public:
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void pass() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::seconds(60), [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = true;
};
Gate gate;

struct TakeBehindGate {
  template <class T>
  void write(const T&) {
    taken.fetch_add(1, std::memory_order_relaxed);
    await([] { gate.pass(); });
  }
};

TEST(BackPressure, HoldsTheSourceBackAfterAFewBatches) {
  for (const std::int64_t batch_records : {1, 10, 100}) {
    for (const bool fusion : {true, false}) {
      made = taken = 0;
      gate.close();
      auto env = Way{fusion, true, batch_records, 1}.environment();
      env.generate_forever(&make)
          .map([](const std::uint64_t& v) { return v; })
          .rebalance()
          .map([](const std::uint64_t& v) { return v; })
          .set_parallelism(2)
          .sink_to(TakeBehindGate{})
          .set_parallelism(2);
      const auto client = env.execute_async();
      while (taken < 2) std::this_thread::yield();
      ASSERT_TRUE(wait_until_still());
      const std::uint64_t in_flight = made;
      // Two channels of eight batches, and what each task has in hand.
      EXPECT_LE(in_flight, static_cast<std::uint64_t>(batch_records) * (2 * (8 + 3) + 2));
      EXPECT_EQ(taken, 2u);
      gate.open();
      while (made < in_flight + 1000) std::this_thread::yield();  // it goes on
      client->cancel().get();
      ASSERT_TRUE(client->result().wait_for(10'000));
    }
  }
}

TEST(BackPressure, BoundsTheMemoryOfLargeRecords) {
  made = taken = 0;
  gate.close();
  auto env = Way{true, true, 0, 2}.environment();
  const std::size_t before = memory_of_this_process("VmRSS");
  env.generate_forever([](std::uint64_t i) { return std::string(10'000 + make(i) % 1000, 'x'); })
      .rebalance()
      .sink_to(TakeBehindGate{});
  const auto client = env.execute_async();
  while (taken < 2) std::this_thread::yield();
  ASSERT_TRUE(wait_until_still());
  const std::uint64_t in_flight = made;
  const std::size_t grown =
      memory_of_this_process("VmRSS") - std::min(before, memory_of_this_process("VmRSS"));
  // Four channels of eight batches of up to 256 KiB: 8 MiB, and what allocators keep.
  EXPECT_LT(in_flight, 2'000u);
  if (!kAddressSanitized) {
    EXPECT_LT(grown, 64u * 1024) << "KiB, with " << in_flight << " records in flight";
  }
  gate.open();
  client->cancel().get();
  ASSERT_TRUE(client->result().wait_for(10'000));
}

TEST(BackPressure, ManyChannelsShareOneBudget) {
  made = taken = 0;
  gate.close();
  const int parallelism = scaled(80, 20);
  auto env = Way{true, true, 0, parallelism}.environment();
  env.configuration().set(options::kTaskmanagerMemoryNetwork, MemorySize::megabytes(8));
  const std::size_t before = memory_of_this_process("VmRSS");
  env.generate_forever(&make).shuffle().sink_to(TakeBehindGate{});
  const auto client = env.execute_async();
  while (taken < static_cast<std::uint64_t>(parallelism)) std::this_thread::yield();
  ASSERT_TRUE(wait_until_still());
  const std::uint64_t in_flight = made;
  // 8 MiB of 8-byte records, with timestamps' room, and what each task has in hand.
  EXPECT_LT(in_flight, 3'000'000u);
  // What the sanitizer keeps of freed memory counts too, and in huge pages where those are on.
  if (!kAddressSanitized) {
    EXPECT_LT(memory_of_this_process("VmRSS"), before + 128u * 1024);
  }
  gate.open();
  client->cancel().get();
  ASSERT_TRUE(client->result().wait_for(10'000));
}

// Runs `job` until `made` has come to `first`, then measures the processor time of one second.
template <class Build>
double share_of_a_core_when_idle(Build build, std::uint64_t first) {
  made = 0;
  auto env = Way{true, true, 0, scaled(100, 10)}.environment();
  build(env);
  const auto client = env.execute_async();
  while (made < first) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_TRUE(wait_until_still());
  const double before = processor_seconds();
  EXPECT_FALSE(client->result().wait_for(1'000));
  const double used = processor_seconds() - before;
  gate.open();  // nothing else ends a wait for it
  client->cancel().get();
  EXPECT_TRUE(client->result().wait_for(10'000));
  return used;
}

TEST(IdleJob, WhoseSourcesWaitForTheirRateUsesNoProcessorTime) {
  const auto parallelism = static_cast<std::uint64_t>(scaled(100, 10));
  const double used = share_of_a_core_when_idle(
      [](auto& env) {
        env.generate_forever(&make, 0.01)
            .key_by()
            .count()
            .map([](const auto& row) { return row.first; })
            .rebalance()
            .discard();
      },
      parallelism);
  EXPECT_LT(used, 0.002);
}

TEST(IdleJob, WhoseResultsNobodyTakesUsesNoProcessorTime) {
  gate.close();
  const double used = share_of_a_core_when_idle(
      [](auto& env) {
        env.generate_forever(&make).rebalance().sink_to(TakeBehindGate{}).set_parallelism(3);
      },
      1'000);
  EXPECT_LT(used, 0.002);
}

TEST(Leaks, JobsLeaveNoThreadNoFileAndNoMemory) {
  const auto run = [](int round) {
    auto env = Way{round % 2 == 0, true, 0, 4}.environment();
    auto numbers = env.generate(&make, 2'000).map([round](const std::uint64_t& v) {
      if (round % 3 == 1 && v == 1000) throw std::runtime_error("sometimes");
      return v;
    });
    numbers.key_by().count().sink_to(Take{});
    env.read_text("/proc/self/status").discard();
    const auto client = env.execute_async();
    if (round % 3 == 2) client->cancel().get();
    ASSERT_TRUE(client->result().wait_for(10'000));
  };
  for (int round = 0; round < 20; ++round) run(round);  // what is made once is made
  const std::size_t threads = entries_of("/proc/self/task");
  const std::size_t files = entries_of("/proc/self/fd");
  const std::size_t address_space = memory_of_this_process("VmSize");
  const std::size_t resident = memory_of_this_process("VmRSS");
  const int rounds = scaled(400, 50);
  for (int round = 0; round < rounds; ++round) run(round);
  // The last job's thread may be on its way out.
  for (int i = 0; i < 1000 && entries_of("/proc/self/task") > threads; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_LE(entries_of("/proc/self/task"), threads);
  EXPECT_LE(entries_of("/proc/self/fd"), files);
  // A thread that nobody joined keeps the 8 MiB of its stack.
  EXPECT_LT(memory_of_this_process("VmSize"), address_space + 200u * 1024);
  // What is freed, the address sanitizer keeps for a while; it finds leaks itself.
  if (!kAddressSanitized) {
    EXPECT_LT(memory_of_this_process("VmRSS"), resident + 16u * 1024);
  }
}

}  // namespace
}  // namespace freshet::testing
