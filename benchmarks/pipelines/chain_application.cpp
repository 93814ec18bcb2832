// The chain benchmarks as an application: fr-run chain_application.so CASE hand|job RECORDS
// prints seconds and checksum of one run. Hand loop and job stand in one module, built alike.
#include <freshet/freshet.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>
#include <vector>

#include "events.h"

namespace {

constexpr std::uint64_t kInMemory = 1 << 21;  // 100 MB
constexpr std::uint64_t kInCache = 1 << 13;   // 384 KiB
std::vector<Event> events;

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

// ---- the functions of q0, q1 and q2 ----------------------------------------------------------

constexpr auto euro = [](const Event& e) {
  Event out = e;
  out.price = e.price * 908 / 1000;
  return out;
};
constexpr auto is_bid = [](const Event& e) { return e.kind == 2; };
constexpr auto is_wanted = [](const Event& e) { return e.auction % 123 == 0; };
constexpr auto project = [](const Event& e) { return Row{e.auction, e.price}; };
constexpr auto event_time = [](const Event& e) { return e.time; };

// Where the job leaves its result: it runs in this process.
Checksum result;
struct ReportingSink {
  Checksum checksum{};
  template <class Record>
  void write(const Record& record, std::int64_t timestamp) {
    checksum.add(record, timestamp);
  }
  void end_of_input() { result = checksum; }
};

// ---- by hand ---------------------------------------------------------------------------------

// Event time is part of both: the watermark follows the highest timestamp seen.
template <class Get, class Body>
[[gnu::noinline]] Checksum loop(std::uint64_t records, Get get, Body body) {
  Checksum sum;
  std::int64_t highest = INT64_MIN;
  for (std::uint64_t i = 0; i < records; ++i) {
    auto&& e = get(i);
    highest = e.time > highest ? e.time : highest;
    body(e, sum);
  }
  asm volatile("" : : "r"(highest));
  return sum;
}

template <class Get>
Checksum by_hand(std::string_view query, std::uint64_t records, Get get) {
  if (query == "q0") {
    return loop(records, get, [](const Event& e, Checksum& sum) { sum.add(e, e.time); });
  }
  if (query == "q1") {
    return loop(records, get, [](const Event& e0, Checksum& sum) {
      Event e = e0;
      e.price = e0.price * 908 / 1000;
      if (is_bid(e)) sum.add(Row{e.auction, e.price}, e.time);
    });
  }
  return loop(records, get, [](const Event& e0, Checksum& sum) {
    Event e = e0;
    e.price = e0.price * 908 / 1000;
    if (is_wanted(e)) sum.add(Row{e.auction, e.price}, e.time);
  });
}

// ---- as a job --------------------------------------------------------------------------------

template <class Stream>
void build(std::string_view query, Stream source) {
  auto timed = source.assign_timestamps(event_time);
  if (query == "q0") {
    timed.sink_to(ReportingSink{});
  } else if (query == "q1") {
    timed.map(euro).filter(is_bid).map(project).sink_to(ReportingSink{});
  } else {
    timed.map(euro).filter(is_wanted).map(project).sink_to(ReportingSink{});
  }
}

int chain(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: chain_application.so QUERY-INPUT hand|job RECORDS\n");
    return 64;
  }
  const std::string_view name = argv[1];
  const std::string_view query = name.substr(0, 2);
  const std::string_view input = name.substr(3);
  const std::uint64_t records = std::strtoull(argv[3], nullptr, 10);
  const std::uint64_t mask = (input == "memory" ? kInMemory : kInCache) - 1;
  if (input != "generated" && events.size() != mask + 1) {
    events.clear();
    for (std::uint64_t i = 0; i <= mask; ++i) events.push_back(make_event(i));
  }
  const Event* const base = events.data();
  auto from_memory = [base, mask](std::uint64_t i) -> const Event& { return base[i & mask]; };

  double seconds;
  if (std::strcmp(argv[2], "hand") == 0) {
    const double start = now();
    result = input == "generated" ? by_hand(query, records, make_event)
                                  : by_hand(query, records, from_memory);
    seconds = now() - start;
  } else {
    auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
    if (input == "plugin") {
      std::string payload(16, '\0');
      std::memcpy(payload.data(), &records, 8);
      std::memcpy(payload.data() + 8, &kInCache, 8);
      build(query, env.from_registered<Event>("benchmark.events", payload));
    } else if (input == "generated") {
      build(query, env.generate([](std::uint64_t i) { return make_event(i); }, records));
    } else {
      build(query, env.generate(from_memory, records).captures_no_pointers());
    }
    const double start = now();
    env.execute("chain");
    seconds = now() - start;
  }
  std::printf("%.9f %llu %llu %llu\n", seconds, static_cast<unsigned long long>(result.count),
              static_cast<unsigned long long>(result.sum),
              static_cast<unsigned long long>(result.time));
  return 0;
}

}  // namespace

FRESHET_APPLICATION(chain);
