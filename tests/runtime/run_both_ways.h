// Runs one job in every way that must not matter: fused and unfused, chained and not, with other
// batch sizes and parallelisms, as tests/configurations/meson.build lists them. The rows are compared
// with those of a naive oracle.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "freshet/environment.h"
#include "freshet/options.h"

namespace freshet::testing {

struct Way {
  bool fusion = true;
  bool chaining = true;
  std::int64_t batch_records = 0;
  int parallelism = 1;
  RuntimeMode mode = RuntimeMode::kAutomatic;

  std::string text() const {
    return std::string(fusion ? "fused" : "unfused") + (chaining ? "" : ", unchained") +
           ", batch-records " + std::to_string(batch_records) + ", parallelism " +
           std::to_string(parallelism) + (mode == RuntimeMode::kStreaming ? ", streaming" : "");
  }
  Configuration configuration() const {
    Configuration configuration;
    configuration.set(options::kPipelineFusion, fusion);
    configuration.set(options::kPipelineOperatorChaining, chaining);
    configuration.set(options::kExecutionBatchRecords, batch_records);
    configuration.set(options::kExecutionRuntimeMode, mode);
    configuration.set(options::kParallelismDefault, parallelism);
    return configuration;
  }
  StreamExecutionEnvironment environment() const {
    return StreamExecutionEnvironment::get_execution_environment(configuration());
  }
};

inline const std::vector<Way>& ways() {
  static const std::vector<Way> all = [] {
    std::vector<Way> made = {
#include "ways.inc"
    };
    // And some that are other ones in each run; a failure tells which.
    std::random_device random;
    for (int i = 0; i < 3; ++i) {
      const bool fusion = random() % 2 == 0;
      const bool chaining = random() % 4 != 0;
      made.push_back({fusion, chaining, random() % 50, static_cast<int>(1 + random() % 8)});
    }
    return made;
  }();
  return all;
}
inline std::vector<Way> streaming_ways() {
  std::vector<Way> streaming = ways();
  for (Way& way : streaming) way.mode = RuntimeMode::kStreaming;
  return streaming;
}

template <class T>
std::vector<T> sorted(std::vector<T> rows) {
  std::sort(rows.begin(), rows.end());
  return rows;
}

// check(build(environment), way) for each of `which`.
template <class Build, class Check>
void run_ways(const std::vector<Way>& which, Build&& build, Check&& check) {
  for (const Way& way : which) {
    SCOPED_TRACE(way.text());
    StreamExecutionEnvironment env = way.environment();
    check(build(env), way);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// `build(environment)` returns the job's rows; the order among subtasks is nobody's promise.
template <class Build, class T>
void run_both_ways(Build&& build, std::vector<T> expected) {
  expected = sorted(std::move(expected));
  run_ways(ways(), build, [&](auto rows, const Way&) {
    ASSERT_EQ(rows.size(), expected.size());
    ASSERT_TRUE(sorted(std::move(rows)) == expected);
  });
}

// A number with no pattern, the same for the same i everywhere.
constexpr std::uint64_t mixed(std::uint64_t i) {
  i += 0x9E3779B97F4A7C15ull;
  i = (i ^ (i >> 30)) * 0xBF58476D1CE4E5B9ull;
  i = (i ^ (i >> 27)) * 0x94D049BB133111EBull;
  return i ^ (i >> 31);
}

}  // namespace freshet::testing
