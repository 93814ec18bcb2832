// The bars of the project: each job beside the hand-written program that it is compared with, runs
// of both taking turns, best of several. Exits with 1 if a bar is missed or results differ.
//
//   bench [--quick] [--benchmark_...]     --quick: fewer runs, a smaller file
#include <benchmark/benchmark.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "measured_run.h"
#include "word_hash.h"

namespace freshet::bench {
namespace {

const std::string kBuild = FRESHET_BUILD_ROOT;
const std::string kSource = FRESHET_SOURCE_ROOT;

struct Case {
  std::string name;
  std::string hand;  // empty: the bar is absolute
  std::string job;
  std::string cpus = "1";
  double records = 0;
  // Share of the hand loop; or, without one: M records/s (records > 0), else seconds at most.
  double bar = 0;
  double aim = 0;
  bool says_seconds = true;
  bool reported_only = false;
  // ns a record that a hand loop needs on a like machine: a ratio to a slow loop says nothing.
  double usual_hand_ns = 0;
  // The bar is for the job alone; the hand run is there for its result.
  bool absolute = false;
  // Where the job writes rows word<TAB>count, which say its result.
  std::string rows;
  bool hand_writes_rows = false;  // too, in the same folder
};

struct Runs {
  std::vector<double> seconds;
  std::string result;
  double best() const { return *std::min_element(seconds.begin(), seconds.end()); }
  double median() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
};
std::map<std::string, Runs> measured;

std::string fr_run_file(const std::string& file, const std::string& arguments,
                        const std::string& options = "--parallelism 1") {
  return kBuild + "/tools/fr-run/fr-run --plugin-dir " + kBuild + "/plugins/executors/local" +
         " --plugin-dir " + kBuild + "/benchmarks/pipelines " + file + " --target=local " +
         options + " " + arguments;
}
std::string fr_run(const std::string& application, const std::string& arguments,
                   const std::string& options = "--parallelism 1") {
  return fr_run_file(kBuild + "/benchmarks/pipelines/" + application + "_application.so", arguments,
                     options);
}

Case chain(const std::string& query, const std::string& input, const char* suffix,
           const std::string& options, double bar, double aim) {
  // Half a second or so: what a job needs to begin, some milliseconds, is measured by its own case.
  const double records = input == "memory" ? 3e8 : 4e8;
  const std::string count = std::to_string(static_cast<long>(records));
  const std::string hand_input = input == "plugin" ? "cache" : input;
  Case c;
  c.name = query + " " + input + suffix;
  c.hand = fr_run("chain", query + "-" + hand_input + " hand " + count);
  c.job = fr_run("chain", query + "-" + input + " job " + count, "--parallelism 1 " + options);
  c.records = records;
  c.bar = bar;
  c.aim = aim;
  c.usual_hand_ns = input == "generated" ? 3.4 : input == "memory" ? 1.5 : 1.2;
  return c;
}

// Real text, again and again, until it is that large.
std::string text_file(std::uint64_t megabytes) {
  const auto path = std::filesystem::temp_directory_path() /
                    ("freshet-bench-" + std::to_string(megabytes) + "mb.txt");
  if (std::filesystem::exists(path) && std::filesystem::file_size(path) >= megabytes << 20) {
    return path;
  }
  std::string text;
  for (const auto& file : std::filesystem::directory_iterator("/usr/share/common-licenses")) {
    std::ifstream in(file.path(), std::ios::binary);
    text.append(std::istreambuf_iterator<char>(in), {});
  }
  std::ofstream out(path, std::ios::binary);
  for (std::uint64_t size = 0; size < megabytes << 20; size += text.size()) out << text;
  return path;
}

std::vector<Case> cases(bool quick) {
  std::vector<Case> all;
  for (const char* query : {"q0", "q1", "q2"}) {
    for (const char* input : {"cache", "memory", "generated"}) {
      all.push_back(chain(query, input, "", "", 0.90, 0.97));
    }
  }
  for (const char* query : {"q0", "q1", "q2"}) {
    all.push_back(chain(query, "cache", ", unfused", "-Dpipeline.fusion=false", 0.30, 0.40));
  }
  for (const char* query : {"q0", "q1", "q2"}) {
    all.push_back(chain(query, "plugin", " source", "", 0.55, 0.75));
  }
  Case words;
  words.name = "word count, memory";
  words.hand = fr_run("words", "memory hand");
  words.job = fr_run("words", "memory job");
  words.records = 3e7;
  words.usual_hand_ns = 15;
  words.bar = 0.85;
  words.aim = 0.95;
  all.push_back(words);

  const std::string file = text_file(quick ? 128 : 1024);
  // The sample itself, from the start of fr-run to its end.
  Case files;
  files.name = "word count, file";
  files.rows = std::filesystem::temp_directory_path() / "freshet-bench-words";
  files.hand = fr_run("words", file + " hand");
  files.job = fr_run_file(kBuild + "/samples/word_count/libword_count.so",
                          "--input " + file + " --output " + files.rows);
  files.bar = 0.60;
  files.aim = 0.85;
  all.push_back(files);
  Case wc;
  wc.name = "word count, file, against wc -w";
  wc.hand = "wc -w " + file;
  wc.job = files.job;
  wc.rows = files.rows;
  wc.says_seconds = false;
  wc.reported_only = true;
  all.push_back(wc);

  // Few keys measure the exchange; with many, the keyed state's memory is most of it.
  for (const char* keys : {"12", "16"}) {
    Case exchange;
    exchange.name = std::string("keyed exchange 2 x 2, 2^") + keys + " keys";
    exchange.hand = fr_run("exchange", std::string("hand 100000000 ") + keys);
    exchange.absolute = true;
    exchange.job = fr_run("exchange", std::string("job 100000000 ") + keys, "-Dlocal.threads=2");
    exchange.cpus = "0,1";
    exchange.records = 1e8;
    exchange.bar = 200;
    exchange.aim = 1000;
    exchange.reported_only = std::string_view(keys) == "16";
    all.push_back(exchange);
  }

  Case workers;
  workers.name = "exchange between two workers";
  workers.hand = kBuild + "/benchmarks/pipelines/workers_bench raw 40";
  workers.job = kBuild + "/benchmarks/pipelines/workers_bench job 40";
  workers.cpus = "0,1";
  workers.records = 4e7;
  workers.bar = 0.40;
  workers.aim = 0.90;
  all.push_back(workers);
  // Both from the start of fr-run to its end.
  const std::string counts = files.rows + "-of-workers";
  const auto count_words = [&](const std::string& target) {
    return kBuild + "/tools/fr-run/fr-run --plugin-dir " + kBuild +
           "/plugins/executors/local --plugin-dir " + kBuild +
           "/plugins/executors/cluster --plugin-dir " + kBuild +
           "/plugins/deployers/standalone --parallelism 2 " + target + " " + kBuild +
           "/samples/word_count/libword_count.so --input " + file + " --output " + counts;
  };
  Case two;
  two.name = "word count, two workers, against local";
  two.hand = count_words("--target=local -Dlocal.threads=2");
  two.job = count_words("--target=standalone -Dstandalone.task-managers=2 -Dtaskmanager.slots=1");
  two.cpus = "0,1";
  two.rows = counts;
  two.hand_writes_rows = true;
  two.says_seconds = false;
  two.bar = 0.50;
  two.aim = 0.90;
  all.push_back(two);

  Case tiny;
  tiny.name = "fr-run of a tiny application";
  tiny.job = fr_run("tiny", "");
  tiny.bar = 0.060;
  tiny.aim = 0.025;
  tiny.says_seconds = false;
  all.push_back(tiny);
  Case compile;
  compile.name = "compiling samples/word_count";
  compile.job = "env CCACHE_DISABLE=1 g++ -std=c++20 -O2 -fPIC -I" + kSource + "/sdk/include -I" +
                kBuild + "/sdk/include -c " + kSource +
                "/samples/word_count/word_count.cpp -o /dev/null";
  compile.bar = 8;
  compile.aim = 4;
  compile.says_seconds = false;
  all.push_back(compile);
  return all;
}

// What a hand-written word count says of its table, from the rows in a folder.
std::string result_of_rows(const std::string& folder) {
  std::uint64_t words = 0, distinct = 0, checksum = 0;
  for (const auto& part : std::filesystem::directory_iterator(folder)) {
    std::ifstream in(part.path());
    std::string word;
    for (std::uint64_t count = 0; in >> word >> count; ++distinct) {
      words += count;
      checksum += hash_of(word) * count;
    }
  }
  return " " + std::to_string(words) + " " + std::to_string(distinct) + " " +
         std::to_string(checksum);
}

void measure(const std::string& name, const std::string& command, const Case& c,
             const std::string& rows, int repetitions) {
  benchmark::RegisterBenchmark(
      name.c_str(),
      [=](benchmark::State& state) {
        for (auto _ : state) {
          if (!rows.empty()) std::filesystem::remove_all(rows);
          const MeasuredRun run = run_command(command, c.cpus, c.says_seconds && rows.empty());
          state.SetIterationTime(run.seconds);
          measured[name].seconds.push_back(run.seconds);
          measured[name].result = rows.empty() ? run.result : result_of_rows(rows);
        }
      })
      ->UseManualTime()
      ->Iterations(1)
      ->Repetitions(repetitions)
      ->ReportAggregatesOnly()
      ->Unit(benchmark::kMillisecond);
}

// Prints a line per case; false if a bar is missed or hand and job disagree.
bool report(const std::vector<Case>& all) {
  bool good = true;
  double noise = 0;
  int noisy = 0;
  std::printf("\n%-36s %14s %14s %9s %7s %7s\n", "", "by hand", "job", "", "bar", "aim");
  for (const Case& c : all) {
    const auto job = measured.find(c.name + "/job");
    if (job == measured.end()) continue;
    const Runs& runs = job->second;
    const auto hand = measured.find(c.name + "/hand");
    char by_hand[64] = "", by_job[64] = "", what[32] = "";
    bool met;
    auto each = [&](const Runs& r, char* text, std::size_t size) {
      if (c.records > 0) {
        std::snprintf(text, size, "%.2f ns", r.best() / c.records * 1e9);
      } else {
        std::snprintf(text, size, "%.0f ms", r.best() * 1e3);
      }
    };
    each(runs, by_job, sizeof by_job);
    double bar = c.bar, aim = c.aim;
    const char* remark = "";
    if (hand != measured.end() && !c.absolute) {
      const double share = hand->second.best() / runs.best();
      each(hand->second, by_hand, sizeof by_hand);
      std::snprintf(what, sizeof what, "%.1f %%", 100 * share);
      met = share >= c.bar;
      bar *= 100;
      aim *= 100;
      noise += hand->second.median() / hand->second.best() - 1;
      ++noisy;
      if (c.usual_hand_ns > 0 && hand->second.best() / c.records * 1e9 > 1.2 * c.usual_hand_ns) {
        remark = "  the hand loop is slower than a like machine's";
      }
    } else if (c.records > 0) {
      const double rate = c.records / runs.best() / 1e6;
      std::snprintf(what, sizeof what, "%.0f M/s", rate);
      met = rate >= c.bar;
    } else {
      std::snprintf(what, sizeof what, "%.3g s", runs.median());
      met = runs.median() < c.bar;
    }
    if (hand != measured.end() && (c.says_seconds || c.hand_writes_rows) &&
        hand->second.result != runs.result) {
      std::snprintf(what, sizeof what, "WRONG");
      good = met = false;
    }
    if (c.reported_only) {
      std::printf("%-36s %14s %14s %9s\n", c.name.c_str(), by_hand, by_job, what);
      continue;
    }
    met = met && *remark == 0;
    std::printf("%-36s %14s %14s %9s %7.4g %7.4g%s%s\n", c.name.c_str(), by_hand, by_job, what, bar,
                aim, met ? "" : "  MISSED", remark);
    good = good && met;
  }
  if (noisy) {
    std::printf("\nnoise: the median hand run is %.1f %% slower than the best one\n",
                100 * noise / noisy);
  }
  return good;
}

}  // namespace
}  // namespace freshet::bench

int main(int argc, char** argv) {
  using namespace freshet::bench;
  bool quick = false;
  std::vector<char*> arguments;
  for (int i = 0; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--quick") {
      quick = true;
    } else {
      arguments.push_back(argv[i]);
    }
  }
  std::string interleave = "--benchmark_enable_random_interleaving=true";
  arguments.push_back(interleave.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  if (benchmark::ReportUnrecognizedArguments(count, arguments.data())) return 64;
  const std::vector<Case> all = cases(quick);
  const int repetitions = quick ? 3 : 7;
  for (const Case& c : all) {
    if (!c.hand.empty())
      measure(c.name + "/hand", c.hand, c, c.hand_writes_rows ? c.rows : "", repetitions);
    measure(c.name + "/job", c.job, c, c.rows, repetitions);
  }
  try {
    benchmark::RunSpecifiedBenchmarks();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return 1;
  }
  return report(all) ? 0 : 1;
}
