#include "kit_jobs.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <vector>

#include "freshet/environment.h"
#include "freshet/runtime_context.h"

namespace freshet::kit {
namespace {

using Environment = StreamExecutionEnvironment;
using Lines = std::vector<std::string>;

constexpr std::int64_t kPatienceMs = 5'000;

Environment environment(int parallelism) {
  auto env = Environment::get_execution_environment();
  env.set_parallelism(parallelism);
  return env;
}

// Of all parts that write_text() has left.
Lines lines_in(const std::string& folder) {
  Lines lines;
  if (!std::filesystem::exists(folder)) return lines;
  for (const auto& part : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(part.path());
    for (std::string line; std::getline(file, line);) lines.push_back(line);
  }
  return lines;
}

std::string quoted(const Lines& lines, std::size_t place) {
  return place < lines.size() ? "'" + lines[place] + "'" : "the end";
}

void expect_equal(const Lines& expected, const Lines& got) {
  if (expected == got) return;
  std::size_t place = 0;
  while (place < expected.size() && place < got.size() && expected[place] == got[place]) ++place;
  throw Error("expected " + std::to_string(expected.size()) + " records, got " +
              std::to_string(got.size()) + "; record " + std::to_string(place + 1) +
              (place < expected.size() || place < got.size()
                   ? " should be " + quoted(expected, place) + " and is " + quoted(got, place)
                   : ""));
}

void expect_in_any_order(Lines expected, Lines got) {
  std::sort(expected.begin(), expected.end());
  std::sort(got.begin(), got.end());
  expect_equal(expected, got);
}

void expect_status(JobStatus expected, JobStatus got, const std::string& whose) {
  if (expected == got) return;
  throw Error(whose + " should be " + name_of(expected) + " and is " + name_of(got));
}

// ---- right results ------------------------------------------------------------------------------

void words(const std::string& folder) {
  const Lines text{"the cat and the dog", "", "the end", "a cat"};
  auto env = environment(2);
  env.from_collection(text)
      .flat_map([](const std::string& line, Collector<std::string>& out) {
        for (std::size_t begin = 0; begin < line.size();) {
          const std::size_t end = std::min(line.find(' ', begin), line.size());
          out(line.substr(begin, end - begin));
          begin = end + 1;
        }
      })
      .key_by()
      .count()
      .write_text(folder);
  env.execute("kit words");
  expect_in_any_order({"the\t3", "cat\t2", "and\t1", "dog\t1", "end\t1", "a\t1"}, lines_in(folder));
}

void numbers(const std::string& folder) {
  auto env = environment(3);
  env.from_sequence(1, 10'000)
      .filter([](std::int64_t n) { return n % 3 == 0; })
      .rebalance()
      .map([](std::int64_t n) { return n * 2; })
      .write_text(folder);
  env.execute("kit numbers");
  Lines expected;
  for (std::int64_t n = 3; n <= 10'000; n += 3) expected.push_back(std::to_string(n * 2));
  expect_in_any_order(expected, lines_in(folder));
}

void broadcast(const std::string& folder) {
  auto env = environment(2);
  env.from_sequence(1, 10)
      .set_parallelism(1)
      .broadcast()
      .map([](std::int64_t n) { return n + 1; })
      .write_text(folder);
  env.execute("kit broadcast");
  Lines expected;
  for (std::int64_t n = 2; n <= 11; ++n) expected.insert(expected.end(), 2, std::to_string(n));
  expect_in_any_order(expected, lines_in(folder));
}

void order(const std::string& folder) {
  auto env = environment(1);
  env.from_sequence(1, 5'000)
      .disable_chaining()
      .map([](std::int64_t n) { return n; })
      .write_text(folder);
  env.execute("kit order");
  Lines expected;
  for (std::int64_t n = 1; n <= 5'000; ++n) expected.push_back(std::to_string(n));
  expect_equal(expected, lines_in(folder));
}

// Not inside the function: a static of a function is made when main runs it, and a process that
// only runs the job's tasks never does.
const OutputTag<std::string> kOdd{"odd"};

void side_output(const std::string& folder) {
  auto env = environment(2);
  auto split = env.from_sequence(1, 100).process(
      [](std::int64_t n, ProcessContext& context, Collector<std::int64_t>& out) {
        if (n % 2 == 0) {
          out(n);
        } else {
          context.output(kOdd, std::to_string(n));
        }
      },
      kOdd);
  split.write_text(folder + "/even");
  split.side_output(kOdd).write_text(folder + "/odd");
  env.execute("kit side output");
  Lines even, odd;
  for (int n = 1; n <= 100; ++n) (n % 2 == 0 ? even : odd).push_back(std::to_string(n));
  expect_in_any_order(even, lines_in(folder + "/even"));
  expect_in_any_order(odd, lines_in(folder + "/odd"));
}

void empty(const std::string& folder) {
  auto env = environment(2);
  env.from_collection(Lines{}).key_by().count().write_text(folder);
  const JobResult result = env.execute("kit empty");
  expect_status(JobStatus::kFinished, result.status, "its result");
  expect_equal({}, lines_in(folder));
}

// ---- what a client is told ----------------------------------------------------------------------

void collect(const std::string&) {
  auto env = environment(2);
  Lines got;
  for (const std::string& each : env.from_sequence(1, 20'000)
                                     .map([](std::int64_t n) { return std::to_string(n); })
                                     .execute_and_collect("kit collect")) {
    got.push_back(each);
  }
  Lines expected;
  for (std::int64_t n = 1; n <= 20'000; ++n) expected.push_back(std::to_string(n));
  expect_in_any_order(expected, got);
}

struct CountAll {
  Accumulator* seen = nullptr;
  void open(RuntimeContext& context) {
    seen = &context.accumulator("kit.seen", AccumulatorKind::kCount);
  }
  std::int64_t operator()(std::int64_t n) const {
    seen->add();
    return n;
  }
  void write_bound(PayloadWriter&) const {}
  static CountAll read_bound(PayloadReader&) { return {}; }
};

void accumulators(const std::string&) {
  auto env = environment(2);
  env.from_sequence(1, 1'000).map(CountAll{}).discard();
  const auto client = env.execute_async("kit accumulators");
  const JobResult result = client->result().get();
  const auto seen = result.accumulators.find("kit.seen");
  if (seen == result.accumulators.end()) {
    static_cast<void>(client->accumulators().get());  // says why, where there can't be any
    throw Error("the result has no accumulator 'kit.seen'");
  }
  if (seen->second.count != 1'000) {
    throw Error("accumulator 'kit.seen' should be 1000 and is " +
                std::to_string(seen->second.count));
  }
}

void expect_failure(const FailureInfo& failure) {
  if (failure.message.find("number 700 is bad") == std::string::npos) {
    throw Error("the failure should say 'number 700 is bad', it says '" + failure.message + "'");
  }
  if (failure.operator_name != "picky") {
    throw Error("the failure should name the operator 'picky', it names '" + failure.operator_name +
                "'");
  }
}

void picky(Environment& env) {
  env.from_sequence(1, 1'000)
      .map([](std::int64_t n) {
        if (n == 700) throw std::runtime_error("number 700 is bad");
        return n;
      })
      .name("picky")
      .discard();
}

void failure(const std::string&) {
  auto env = environment(1);
  picky(env);
  try {
    env.execute("kit failure");
    throw Error("execute() of a job whose function throws has returned");
  } catch (const JobFailed& failed) {
    expect_failure(failed.failure());
  }
  picky(env);
  const auto client = env.execute_async("kit failure told");
  const auto result = client->result().get_for(kPatienceMs);
  if (!result) throw Error("result() of a job whose function throws is not ready after 5 s");
  expect_status(JobStatus::kFailed, result->status, "its result");
  expect_status(JobStatus::kFailed, client->status().get(), "its status");
  if (!result->failure) throw Error("the result of a failed job has no failure");
  expect_failure(*result->failure);
}

void cancel(const std::string&) {
  using Clock = std::chrono::steady_clock;
  auto env = environment(2);
  env.generate_forever([](std::uint64_t n) { return n; }, 1'000).discard();
  const auto client = env.execute_async("kit cancel");
  const auto until = Clock::now() + std::chrono::milliseconds(kPatienceMs);
  while (client->status().get() != JobStatus::kRunning) {
    if (Clock::now() > until) throw Error("the job is not running 5 s after it was submitted");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  if (client->result().wait_for(20)) throw Error("a job without end has ended by itself");
  if (!client->cancel().get_for(kPatienceMs)) throw Error("cancel() is not ready after 5 s");
  const auto result = client->result().get_for(kPatienceMs);
  if (!result) throw Error("the job has not ended 5 s after its cancel");
  expect_status(JobStatus::kCanceled, result->status, "its result");
  expect_status(JobStatus::kCanceled, client->status().get(), "its status");
}

void two_at_once(const std::string& folder) {
  const auto start = [&](const std::string& name, std::int64_t last) {
    auto env = environment(2);
    env.from_sequence(1, last).map([](std::int64_t n) { return n; }).write_text(folder + name);
    return env.execute_async("kit " + name);
  };
  const auto one = start("/one", 3'000);
  const auto two = start("/two", 5'000);
  if (one->job_id() == two->job_id()) throw Error("two jobs have the id " + one->job_id());
  expect_status(JobStatus::kFinished, one->result().get().status, "the first job's result");
  expect_status(JobStatus::kFinished, two->result().get().status, "the second job's result");
  if (lines_in(folder + "/one").size() != 3'000 || lines_in(folder + "/two").size() != 5'000) {
    throw Error("expected 3000 and 5000 records, got " +
                std::to_string(lines_in(folder + "/one").size()) + " and " +
                std::to_string(lines_in(folder + "/two").size()));
  }
}

// ---- what can't be ------------------------------------------------------------------------------

template <class Build>
void expect_refused(const std::string& what, Build&& build) {
  auto env = environment(1);
  build(env);
  try {
    env.execute("kit refused");
  } catch (const InvalidInput&) {
    return;
  } catch (const std::exception& error) {
    throw Error(what + " should be refused as InvalidInput, and says: " + error.what());
  }
  throw Error(what + " has run");
}

void refused(const std::string& folder) {
  expect_refused("a parallelism above the maximum parallelism", [&](Environment& env) {
    env.set_max_parallelism(2);
    env.from_sequence(1, 10)
        .map([](std::int64_t n) { return n; })
        .set_parallelism(3)
        .write_text(folder);
  });
  expect_refused("a uid that is used twice", [&](Environment& env) {
    env.from_sequence(1, 10)
        .uid("same")
        .map([](std::int64_t n) { return n; })
        .uid("same")
        .write_text(folder);
  });
  expect_equal({}, lines_in(folder));
}

const std::map<std::string, void (*)(const std::string&)>& jobs() {
  static const std::map<std::string, void (*)(const std::string&)> all{
      {"words", words},     {"numbers", numbers},           {"broadcast", broadcast},
      {"order", order},     {"side-output", side_output},   {"empty", empty},
      {"collect", collect}, {"accumulators", accumulators}, {"failure", failure},
      {"cancel", cancel},   {"two-at-once", two_at_once},   {"refused", refused},
  };
  return all;
}

}  // namespace

void run_job(const std::string& name, const std::string& folder) {
  const auto job = jobs().find(name);
  if (job == jobs().end()) throw InvalidInput("the kit has no job '" + name + "'");
  job->second(folder);
}

}  // namespace freshet::kit
