// What docs/users/datastream-api.md shows, compiled and run. Its blocks are lines of this file.
#include <freshet/freshet.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using freshet::StreamExecutionEnvironment;

struct Visit {
  std::string page;
  std::string visitor;
  std::int64_t time_ms;
  std::int64_t bytes;
};

// The text of a record, for print() and write_text().
std::string to_text(const Visit& visit) {
  return visit.visitor + " saw " + visit.page + ", " + std::to_string(visit.bytes) + " bytes";
}

static std::optional<Visit> parse(std::string_view line) {
  std::vector<std::string_view> fields;
  while (!line.empty()) {
    fields.push_back(line.substr(0, line.find('\t')));
    line.remove_prefix(std::min(line.size(), fields.back().size() + 1));
  }
  if (fields.size() != 4) return std::nullopt;
  Visit visit{std::string(fields[0]), std::string(fields[1]), 0, 0};
  std::from_chars(fields[2].data(), fields[2].data() + fields[2].size(), visit.time_ms);
  std::from_chars(fields[3].data(), fields[3].data() + fields[3].size(), visit.bytes);
  return visit;
}

static std::vector<Visit> some_visits() {
  return {{"/", "ann", 1'000, 100}, {"/news", "bob", 2'000, 700}, {"/", "cid", 3'000, 20}};
}

static void sources(StreamExecutionEnvironment& env, const std::string& path) {
  auto words = env.from_elements({"snow", "melts"});
  auto visits = env.from_collection(some_visits());
  auto numbers = env.from_sequence(1, 1'000'000);
  auto ticks = env.generate([](std::uint64_t n) { return n * n; }, /*count=*/1'000, /*rate=*/1e6);
  auto lines = env.read_text(path);  // a file, a folder, or a pattern such as logs/*.txt

  words.discard();
  visits.discard();
  numbers.discard();
  ticks.discard();
  lines.discard();
}

static void transformations(StreamExecutionEnvironment& env) {
  auto visits = env.from_collection(some_visits());
  auto sizes = visits.map([](const Visit& visit) { return visit.bytes; });
  auto pages = visits.map(&Visit::page);
  auto large = visits.filter([](const Visit& visit) { return visit.bytes > 500; });
  auto letters = visits.flat_map<char>([](const Visit& visit, auto& out) {
    for (const char letter : visit.page) out(letter);
  });

  sizes.discard();
  pages.discard();
  large.print();
  letters.discard();
}

static void bound_values(StreamExecutionEnvironment& env, const std::string& page) {
  auto visits = env.from_collection(some_visits());
  auto of_page = visits.filter(
      [](const Visit& visit, const std::string& wanted) { return visit.page == wanted; }, page);
  auto by_size = visits.key_by(
      [](const Visit& visit, std::int64_t small, std::int64_t large) {
        return (visit.bytes >= small) + (visit.bytes >= large);
      },
      std::int64_t{100}, std::int64_t{10'000});

  of_page.discard();
  by_size.count().discard();
}

static std::int64_t smallest = 0;  // main sets it to 500, workers see 0

static void sizes_above(StreamExecutionEnvironment& env) {
  smallest = 500;
  auto visits = env.from_collection(some_visits());
  // Wrong on a cluster: reads the worker's own `smallest`, which is 0.
  auto wrong = visits.filter([](const Visit& visit) { return visit.bytes > smallest; });
  // Right everywhere: the value travels with the function.
  auto right = visits.filter(
      [](const Visit& visit, std::int64_t least) { return visit.bytes > least; }, smallest);

  wrong.discard();
  right.discard();
}

static void instead_of_windows(StreamExecutionEnvironment& env) {
  auto visits = env.from_collection(some_visits());
  auto per_minute =
      visits
          .key_by([](const Visit& visit) { return std::pair(visit.page, visit.time_ms / 60'000); })
          .sum(&Visit::bytes);

  per_minute.discard();
}

static void aggregates(StreamExecutionEnvironment& env) {
  auto visits = env.from_collection(some_visits());
  auto by_page = visits.key_by(&Visit::page);
  auto how_often = by_page.count();            // pairs of page and count
  auto bytes = by_page.sum(&Visit::bytes);     // pairs of page and sum
  auto smallest = by_page.min(&Visit::bytes);  // pairs of page and value
  auto largest = by_page.max(&Visit::bytes);
  auto latest = by_page.reduce([](const Visit& so_far, const Visit& next) {
    return next.time_ms > so_far.time_ms ? next : so_far;
  });

  how_often.print();
  bytes.discard();
  smallest.discard();
  largest.discard();
  latest.discard();
}

static void distribution(StreamExecutionEnvironment& env) {
  auto visits = env.from_collection(some_visits());
  auto more = env.from_collection(some_visits());
  auto all = visits.union_with(more);
  auto sizes = all.rebalance().map(&Visit::bytes).set_parallelism(4);

  sizes.discard();
}

static void names(StreamExecutionEnvironment& env) {
  auto visits = env.from_collection(some_visits());
  visits.filter([](const Visit& visit) { return visit.bytes > 0; })
      .name("seen in full")
      .uid("seen-in-full")
      .set_parallelism(2)
      .key_by(&Visit::visitor)
      .count()
      .uid("visits-per-visitor")
      .print()
      .name("to the screen");
}

static void event_time(StreamExecutionEnvironment& env) {
  auto visits = env.from_collection(some_visits());
  auto timed = visits.assign_timestamps(&Visit::time_ms, /*out_of_orderness_ms=*/5'000);

  timed.discard();
}

// Built and never run: the libraries are somebody's.
static void operators_of_a_library(StreamExecutionEnvironment& env, const std::string& path) {
  const freshet::OutputTag<std::string> rare("rare");
  auto lines = env.read_text(path);
  auto loud = lines.through_registered<std::string_view>("text.upper");
  auto counts = lines.key_by([](std::string_view line) { return line.size(); })
                    .through_registered<std::string>("sizes.count", freshet::payload_of(10), rare);

  loud.discard();
  counts.discard();
  counts.side_output(rare).discard();
}

static void side_outputs(StreamExecutionEnvironment& env, const std::string& path) {
  const freshet::OutputTag<std::string> damaged("damaged");
  auto parsed = env.read_text(path).process(
      [damaged](std::string_view line, freshet::ProcessContext& context,
                freshet::Collector<Visit>& out) {
        if (auto visit = parse(line)) {
          out(*visit);
        } else {
          context.output(damaged, std::string(line));
        }
      },
      damaged);
  parsed.discard();
  parsed.side_output(damaged).discard();
}

// A function object with a life of its own. It travels by write_bound and read_bound, since what
// open() makes can't.
struct CountLargeOnes {
  std::int64_t limit;
  freshet::Accumulator* large = nullptr;

  void open(freshet::RuntimeContext& context) {
    large = &context.accumulator("large visits", freshet::AccumulatorKind::kCount);
  }
  bool operator()(const Visit& visit) {
    if (visit.bytes > limit) large->add();
    return true;
  }
  void write_bound(freshet::PayloadWriter& to) const { to.value(limit); }
  static CountLargeOnes read_bound(freshet::PayloadReader& from) {
    return {from.value<std::int64_t>()};
  }
};

static void accumulators(StreamExecutionEnvironment& env) {
  env.from_collection(some_visits()).filter(CountLargeOnes{500}).discard();
  const freshet::JobResult result = env.execute("count large visits");
  std::printf("%s\n", result.accumulators.at("large visits").text().c_str());
}

static std::string look_up(const std::string& visitor) {
  std::this_thread::sleep_for(std::chrono::milliseconds(1));  // a service, say
  return visitor + " of Riverside";
}

static void blocking_calls(StreamExecutionEnvironment& env) {
  auto visits = env.from_collection(some_visits());
  auto known = visits.map(
      [](const Visit& visit) { return freshet::await([&] { return look_up(visit.visitor); }); });

  known.discard();
}

static void collect(StreamExecutionEnvironment& env) {
  auto visits = env.from_collection(some_visits());
  for (const Visit& visit : visits.execute_and_collect("visits")) {
    std::printf("%s\n", visit.page.c_str());
  }
}

static void modes(StreamExecutionEnvironment& env) {
  env.configuration().set(freshet::options::kExecutionRuntimeMode,
                          freshet::RuntimeMode::kStreaming);
}

// A parameter of the plain type ends the chain; the results are the same.
static void report(const freshet::DataStream<std::string>& pages) { pages.discard(); }

// A template does not.
static void report_fused(const auto& pages) { pages.discard(); }

static void fusion(StreamExecutionEnvironment& env) {
  auto pages = env.from_collection(some_visits()).map(&Visit::page);
  report(pages);
  report_fused(pages);
}

int api(int argc, char** argv) {
  auto env = StreamExecutionEnvironment::get_execution_environment();
  const std::string path = argc > 1 ? argv[1] : "/usr/share/common-licenses";
  sources(env, path);
  transformations(env);
  bound_values(env, "/news");
  sizes_above(env);
  aggregates(env);
  instead_of_windows(env);
  distribution(env);
  names(env);
  event_time(env);
  side_outputs(env, path);
  blocking_calls(env);
  fusion(env);
  env.execute("everything at once");
  accumulators(env);
  collect(env);
  auto elsewhere = StreamExecutionEnvironment::get_execution_environment();
  operators_of_a_library(elsewhere, path);
  modes(env);
  return 0;
}

FRESHET_APPLICATION(api);
