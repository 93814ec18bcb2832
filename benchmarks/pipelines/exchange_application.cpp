// The keyed exchange by hand and as a job: fr-run exchange_application.so hand|job RECORDS
// LOG2-OF-KEYS prints seconds, records and checksum. Two sources, two reducers, two threads.
#include <freshet/freshet.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace {

struct Record {
  std::int64_t key, value;
};
static_assert(sizeof(Record) == 16);

inline Record make_record(std::uint64_t i, int shift) {
  const std::uint64_t r = (i + 1) * 0x9E3779B97F4A7C15ull;
  return {static_cast<std::int64_t>(r >> shift), static_cast<std::int64_t>(i)};
}

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

struct Result {
  std::uint64_t keys = 0, checksum = 0;
  void add(std::int64_t key, std::int64_t sum) {
    ++keys;
    checksum += static_cast<std::uint64_t>(key) * 31 + static_cast<std::uint64_t>(sum);
  }
} result;
std::mutex result_mutex;

// The limit: two threads that make, hash, partition and reduce, and hand nothing over.
void by_hand(std::uint64_t records, int shift) {
  const std::uint64_t keys = std::uint64_t{1} << (64 - shift);
  std::vector<std::int64_t> sums[2];
  auto work = [&](std::uint64_t me) {
    // Each has a table of all keys; a real exchange would split them.
    std::vector<std::int64_t>& table = sums[me];
    table.assign(keys, 0);
    for (std::uint64_t i = me; i < records; i += 2) {
      const Record record = make_record(i, shift);
      const std::uint64_t hash = freshet::key_hash(record.key);
      table[static_cast<std::uint64_t>(record.key)] += record.value;
      asm volatile("" : : "r"(hash));
    }
  };
  std::thread other(work, 1);
  work(0);
  other.join();
  for (std::uint64_t k = 0; k < keys; ++k) {
    const std::int64_t sum = sums[0][k] + sums[1][k];
    result.add(static_cast<std::int64_t>(k), sum);
  }
}

struct ResultSink {
  Result mine{};
  void write(const std::pair<std::int64_t, std::int64_t>& row) { mine.add(row.first, row.second); }
  void end_of_input() {
    const std::lock_guard lock(result_mutex);
    result.keys += mine.keys;
    result.checksum += mine.checksum;
  }
};

int exchange(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: exchange_application.so hand|job RECORDS LOG2-OF-KEYS\n");
    return 64;
  }
  const std::uint64_t records = std::strtoull(argv[2], nullptr, 10);
  const int shift = 64 - std::atoi(argv[3]);
  const double start = now();
  if (std::strcmp(argv[1], "hand") == 0) {
    by_hand(records, shift);
  } else {
    auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
    env.set_parallelism(2);
    env.generate([shift](std::uint64_t i) { return make_record(i, shift); }, records)
        .key_by(&Record::key)
        .sum(&Record::value)
        .sink_to(ResultSink{});
    env.execute("exchange");
  }
  std::printf("%.9f %llu %llu %llu\n", now() - start, static_cast<unsigned long long>(records),
              static_cast<unsigned long long>(result.keys),
              static_cast<unsigned long long>(result.checksum));
  return 0;
}

}  // namespace

FRESHET_APPLICATION(exchange);
