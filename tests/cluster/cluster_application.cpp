// An application that ends, or does not, as its first argument says.
#include <dlfcn.h>
#include <freshet/freshet.h>
#include <freshet/options.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

// Whole or not at all.
void write_file(const std::string& path, const std::string& text) {
  std::ofstream(path + ".part") << text;
  std::rename((path + ".part").c_str(), path.c_str());
}

void small_job(freshet::StreamExecutionEnvironment& env, const std::string& name) {
  env.from_sequence(1, 100).discard();
  env.execute(name);
}

// Runs until it is ended, and says by a file that it does.
void endless_job(freshet::StreamExecutionEnvironment& env, const std::string& file) {
  env.from_sequence(1, std::int64_t{1} << 60)
      .map(
          [](std::int64_t n, const std::string& running) {
            if (n == 5) write_file(running, std::to_string(::getpid()));
            freshet::await([] { ::usleep(1'000); });
            return n;
          },
          file)
      .discard();
}

// Runs until it is ended, and writes a file again whenever somebody has taken it away.
void steady_job(freshet::StreamExecutionEnvironment& env, const std::string& file) {
  env.from_sequence(1, std::int64_t{1} << 60)
      .map(
          [](std::int64_t n, const std::string& alive) {
            if (::access(alive.c_str(), F_OK) != 0) write_file(alive, std::to_string(n));
            freshet::await([] { ::usleep(1'000); });
            return n;
          },
          file)
      .discard();
}

// Counts what goes through it, in the job's result and while it runs.
struct Counted {
  std::int64_t unused = 0;
  freshet::Accumulator* records = nullptr;
  std::optional<freshet::Counter> seen;

  void open(freshet::RuntimeContext& context) {
    records = &context.accumulator("records", freshet::AccumulatorKind::kSum);
    seen = context.counter("seen");
  }
  std::int64_t operator()(std::int64_t n) {
    records->add(static_cast<double>(n));
    seen->add();
    return n;
  }
  void write_bound(freshet::PayloadWriter& to) const { to.value(unused); }
  static Counted read_bound(freshet::PayloadReader& from) {
    Counted counted;
    counted.unused = from.value<std::int64_t>();
    return counted;
  }
};

// Text of so many megabytes.
std::string large(const std::string& megabytes) {
  return "it begins " + std::string(std::stoul(megabytes) << 20, '.') + " it ends";
}

// Keeps so many megabytes in the job's result, in each subtask.
struct Kept {
  std::int64_t megabytes = 0;
  freshet::Accumulator* kept = nullptr;

  void open(freshet::RuntimeContext& context) {
    kept = &context.accumulator("kept", freshet::AccumulatorKind::kBytes);
  }
  std::int64_t operator()(std::int64_t n) {
    for (; megabytes > 0; --megabytes) kept->add_bytes(std::string(1 << 20, 'x'));
    return n;
  }
  void write_bound(freshet::PayloadWriter& to) const { to.value(megabytes); }
  static Kept read_bound(freshet::PayloadReader& from) {
    Kept kept;
    kept.megabytes = from.value<std::int64_t>();
    return kept;
  }
};

// In a worker, where a variable asks for it: its module takes its time to load.
struct SlowToLoad {
  SlowToLoad() {
    std::ifstream words("/proc/self/cmdline");
    std::string program, command;
    std::getline(words, program, '\0');
    std::getline(words, command, '\0');
    const char* const seconds = std::getenv("FRESHET_TEST_SLOW_TO_LOAD");
    if (seconds != nullptr && command == "worker")
      ::sleep(static_cast<unsigned>(std::atoi(seconds)));
  }
} const slow_to_load;

// 400 MB a second, up to more than any limit of these tests.
void use_memory() {
  std::vector<std::string> all;
  for (int i = 0; i < 300; ++i) {
    all.emplace_back(std::size_t{4} << 20, 'x');
    ::usleep(10'000);
  }
}

std::int64_t overflow(std::int64_t n) {
  volatile char page[4096];
  page[0] = static_cast<char>(n);
  return n == 0 ? page[0] : overflow(n + 1) + page[0];
}

// In a task, as its first record says: user code that ends its process, or claims a cancel.
std::int64_t leave_by(std::int64_t n, const std::string& how) {
  if (n != 7) return n;
  if (how == "exit") std::exit(0);
  if (how == "_exit") ::_exit(0);
  if (how == "_Exit") std::_Exit(0);
  if (how == "quick_exit") std::quick_exit(0);
  if (how == "exit-awaited") freshet::await([] { std::exit(0); });
  if (how == "exit-thread") std::thread([] { std::exit(0); }).join();
  if (how == "_exit-thread") std::thread([] { ::_exit(0); }).join();
  if (how == "canceled") throw freshet::Canceled("I have had enough");
  return n;
}

// Fails at record `at` of each attempt but the last of so many; those leave a file.
std::int64_t fail_at_first(std::int64_t n, std::int64_t at, std::int64_t attempts,
                           const std::string& folder) {
  if (n != at) return n;
  for (std::int64_t attempt = 1; attempt < attempts; ++attempt) {
    const std::string made = folder + "/attempt-" + std::to_string(attempt);
    if (::access(made.c_str(), F_OK) == 0) continue;
    write_file(made, "");
    throw std::runtime_error("attempt " + std::to_string(attempt) + " fails");
  }
  return n;
}

int run(int argc, char** argv);

// Of the file that was shipped beside this module.
std::string shipped_text(const std::string& name) {
  Dl_info here{};
  ::dladdr(reinterpret_cast<void*>(&run), &here);
  const std::string module = here.dli_fname;
  std::ifstream file(module.substr(0, module.rfind('/') + 1) + name);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

// Every kind of edge between the subtasks of a job; prints the rows in order.
void exchange(freshet::StreamExecutionEnvironment& env, std::int64_t count) {
  using Count = std::pair<std::int64_t, std::int64_t>;
  auto numbers = env.from_sequence(1, count).map([](std::int64_t n) { return n * 7919 % 1009; });
  auto counts =
      numbers.key_by([](const std::int64_t& n) { return n % 100; })
          .count()
          .map([](const Count& row) { return 1'000'000 + row.first * 1'000 + row.second; });
  auto everywhere = numbers.broadcast().map([](std::int64_t n) { return 2'000'000 + n; });
  auto words =
      numbers.rebalance()
          .map([](std::int64_t n) { return std::string(static_cast<std::size_t>(n), 'x'); })
          .key_by([](const std::string& word) { return word.size() % 50; })
          .max([](const std::string& word) { return word; })
          .map([](const std::pair<std::size_t, std::string>& row) {
            return static_cast<std::int64_t>(3'000'000 + row.second.size());
          });
  auto rows = counts.union_with(everywhere, words, numbers.shuffle())
                  .execute_and_collect("exchange")
                  .to_vector();
  std::sort(rows.begin(), rows.end());
  for (const std::int64_t row : rows) std::printf("%lld\n", static_cast<long long>(row));
}

int run(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  const std::string more = argc > 2 ? argv[2] : "";
  if (how == "exit") std::exit(std::atoi(more.c_str()));
  if (how == "return") return std::atoi(more.c_str());
  if (how == "streams") {
    std::printf("out 1\n");
    std::fflush(stdout);
    std::fprintf(stderr, "err 1\n");
    std::printf("%s\nout 2\n", more.c_str());
    std::fflush(stdout);
    std::fprintf(stderr, "err 2\n");
    return 0;
  }
  if (how == "throw") throw std::runtime_error(more);
  if (how == "segfault") {
    ::signal(SIGSEGV, SIG_DFL);  // as without a sanitizer
    ::raise(SIGSEGV);
  }
  if (how == "abort") std::abort();
  if (how == "greet") {
    std::printf("hello from main\n");
    return 0;
  }
  if (how == "prompt") {  // until a file is there
    std::printf("name? ");
    std::fflush(stdout);
    while (::access(more.c_str(), F_OK) != 0) ::usleep(2'000);
    std::printf("thanks\n");
    return 0;
  }
  if (how == "arguments") {
    for (int i = 1; i < argc; ++i) std::printf("<%s>\n", argv[i]);
    return 0;
  }
  if (how == "shipped") {
    for (int i = 2; i < argc; ++i) std::printf("<%s>\n", shipped_text(argv[i]).c_str());
    return 0;
  }
  if (how == "hang") {
    std::printf("main hangs\n");
    std::fflush(stdout);
    for (;;) ::pause();
  }
  if (how == "print") {
    const std::string line(99, 'x');
    for (long left = std::atol(more.c_str()); left > 0; left -= 100) std::puts(line.c_str());
    std::printf("the last line\n");
    return 0;
  }
  if (how == "fork" || how == "fork-and-hang") {
    const pid_t one = ::fork();
    if (one == 0) ::pause();
    const pid_t two = ::fork();
    if (two == 0) {
      ::setsid();
      ::pause();
    }
    write_file(more, std::to_string(one) + " " + std::to_string(two));
    while (how == "fork-and-hang") ::pause();
    return 0;
  }
  if (how == "use-memory") {
    use_memory();
    return 0;
  }
  if (how == "allocate") {
    std::size_t pages = 0;  // that it has
    std::ifstream("/proc/self/statm") >> pages;
    const rlim_t bytes = pages * static_cast<std::size_t>(::getpagesize()) + (rlim_t{256} << 20);
    const rlimit limit{bytes, bytes};
    ::setrlimit(RLIMIT_AS, &limit);
    std::vector<std::string> all;
    for (;;) all.emplace_back(std::size_t{16} << 20, 'x');
  }

  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  if (how == "close-output") {
    ::close(STDOUT_FILENO);
    ::close(STDERR_FILENO);
    small_job(env, "silent");
    return std::atoi(more.c_str());
  }
  if (how == "close-output-and-throw") {
    ::close(STDOUT_FILENO);
    ::close(STDERR_FILENO);
    throw std::runtime_error(more);
  }
  if (how == "jobs") {
    for (int i = 0; i < std::atoi(more.c_str()); ++i) small_job(env, "job " + std::to_string(i));
    return 0;
  }
  if (how == "pause") {  // between two jobs, until there is a file
    small_job(env, "before");
    write_file(more + ".pauses", "");
    while (::access(more.c_str(), F_OK) != 0) ::usleep(1'000);
    small_job(env, "after");
    return 0;
  }
  if (how == "count") {  // and prints in each subtask
    env.from_sequence(1, std::atoll(more.c_str())).map(Counted{}).name("counted").print();
    env.execute("counting");
    return 0;
  }
  if (how == "fail" || how == "fail-caught") {
    env.from_sequence(1, 10)
        .map(
            [](std::int64_t n, const std::string& text) {
              if (n == 7) throw std::runtime_error(text);
              return n;
            },
            more)
        .name("doubtful")
        .discard();
    try {
      env.execute("failing");
    } catch (const freshet::JobFailed&) {
      if (how == "fail") throw;
    }
    return 0;
  }
  if (how == "fail-large") {
    env.from_sequence(1, 10)
        .map(
            [](std::int64_t n, const std::string& megabytes) {
              if (n == 7) throw std::runtime_error(large(megabytes));
              return n;
            },
            more)
        .name("talkative")
        .discard();
    env.execute("failing at length");
    return 0;
  }
  if (how == "keep") {  // and writes into a folder
    Kept kept;
    kept.megabytes = std::stoll(more);
    env.from_sequence(1, 100)
        .rebalance()
        .map(std::move(kept))
        .name("keeper")
        .disable_chaining()
        .write_text(argv[3]);
    const freshet::JobResult result = env.execute("keeping");
    std::printf("%zu items\n", result.accumulators.at("kept").items.size());
    return 0;
  }
  if (how == "collect-large") {  // rows of so many megabytes, which cross between subtasks
    std::size_t rows = 0, bytes = 0;
    for (const std::string& row :
         env.from_sequence(1, 3)
             .rebalance()
             .map([](std::int64_t, const std::string& megabytes) { return large(megabytes); }, more)
             .rebalance()
             .map([](const std::string& row) { return row + "."; })
             .execute_and_collect("large rows")) {
      ++rows;
      bytes += row.ends_with(" it ends.") ? row.size() : 0;
    }
    std::printf("%zu rows, %zu bytes\n", rows, bytes);
    return 0;
  }
  if (how == "carry") {  // so many megabytes in the job itself
    env.from_collection(std::vector<std::string>{large(more)}).discard();
    env.execute("carrying");
    return 0;
  }
  // The first attempt fails: at its first record, or once main has got a row.
  if (how == "collect-fail-once" || how == "collect-fail-later") {
    const std::int64_t at = how == "collect-fail-once" ? 1 : 150'000;
    std::int64_t rows = 0, sum = 0;
    const auto numbers =
        env.from_sequence(1, 200'000)
            .map(
                [](std::int64_t n, const std::string& file, std::int64_t fails_at) {
                  if (n != fails_at || ::access((file + ".failed").c_str(), F_OK) == 0) return n;
                  while (n > 1 && ::access((file + ".row").c_str(), F_OK) != 0)
                    freshet::await([] { ::usleep(1'000); });
                  write_file(file + ".failed", "");
                  throw std::runtime_error("the first attempt fails");
                },
                more, at)
            .name("once");
    for (const std::int64_t n : numbers.execute_and_collect("collecting anew")) {
      if (++rows == 1) write_file(more + ".row", "");
      sum += n;
    }
    std::printf("%lld rows, %lld\n", static_cast<long long>(rows), static_cast<long long>(sum));
    return 0;
  }
  // No row before there is a file; says by another that it runs.
  if (how == "collect-late") {
    std::int64_t rows = 0, sum = 0;
    const auto numbers = env.from_sequence(1, 100'000)
                             .map(
                                 [](std::int64_t n, const std::string& gate) {
                                   if (n == 1) write_file(gate + ".running", "");
                                   while (n == 1 && ::access(gate.c_str(), F_OK) != 0)
                                     freshet::await([] { ::usleep(1'000); });
                                   return n;
                                 },
                                 more);
    for (const std::int64_t n : numbers.execute_and_collect("collecting late")) {
      ++rows;
      sum += n;
    }
    std::printf("%lld rows, %lld\n", static_cast<long long>(rows), static_cast<long long>(sum));
    return 0;
  }
  if (how == "crash-in-a-task") {
    env.from_sequence(1, 10)
        .map([](std::int64_t n) {
          if (n == 7) {
            ::signal(SIGSEGV, SIG_DFL);
            ::raise(SIGSEGV);
          }
          return n;
        })
        .discard();
    env.execute("crashing");
    return 0;
  }
  if (how == "use-memory-in-a-task") {
    env.from_sequence(1, 1)
        .map([](std::int64_t n) {
          use_memory();
          return n;
        })
        .discard();
    env.execute("greedy");
    return 0;
  }
  if (how == "exchange-until-one-dies") {  // in the subtask that gets 5: as the next argument says
    write_file(more, "");
    env.from_sequence(1, std::int64_t{1} << 60)
        .rebalance()
        .map(
            [](std::int64_t n, const std::string& end) {
              if (n == 5 && end == "abort") {
                std::fputs("it has had enough\n", stderr);
                std::abort();
              }
              if (n == 5 && end == "overflow") return overflow(n);
              freshet::await([] { ::usleep(1'000); });
              return n;
            },
            argc > 3 ? std::string(argv[3]) : std::string())
        .name("exchanged")
        .discard();
    env.execute("exchanging");
    return 0;
  }
  if (how == "fail-if-it-runs") {
    env.from_sequence(1, 10)
        .map([](std::int64_t) -> std::int64_t { throw std::runtime_error("it runs"); })
        .discard();
    env.execute("never");
    return 0;
  }
  if (how == "endless") {
    endless_job(env, more);
    env.execute("endless");
    return 0;
  }
  if (how == "steady") {
    steady_job(env, more);
    env.execute("steady");
    return 0;
  }
  if (how == "leave-endless") {
    endless_job(env, more);
    static_cast<void>(env.execute_async("left alone"));
    return 0;
  }
  if (how == "collect") {
    std::int64_t rows = 0, sum = 0;
    for (const std::int64_t n : env.from_sequence(1, std::atoll(more.c_str()))
                                    .map([](std::int64_t n) { return 2 * n; })
                                    .execute_and_collect("collecting")) {
      ++rows;
      sum += n;
    }
    std::printf("%lld rows, %lld\n", static_cast<long long>(rows), static_cast<long long>(sum));
    return 0;
  }
  if (how == "leave-collecting") {  // its rows wait for somebody who reads them
    static const auto* const left = new auto(
        env.from_sequence(1, std::atoll(more.c_str())).execute_and_collect("left collecting"));
    return left == nullptr ? 1 : 0;
  }
  if (how == "gated") {  // says by a file that rows come; the last ones once there is another
    std::int64_t rows = 0, sum = 0;
    const auto gated = env.from_sequence(1, 200'000)
                           .map(
                               [](std::int64_t n, const std::string& gate) {
                                 while (n % 100'000 == 90'000 && ::access(gate.c_str(), F_OK) != 0)
                                   freshet::await([] { ::usleep(1'000); });
                                 return n;
                               },
                               more);
    for (const std::int64_t n : gated.execute_and_collect("gated")) {
      if (++rows == 1) write_file(more + ".running", "");
      sum += n;
    }
    std::printf("%lld rows, %lld\n", static_cast<long long>(rows), static_cast<long long>(sum));
    return 0;
  }
  if (how == "read-input") {
    env.read_standard_input().print();
    env.execute("reading the input");
    return 0;
  }
  if (how == "exchange") {
    exchange(env, std::atoll(more.c_str()));
    return 0;
  }
  if (how == "write") {  // the first record waits for a file
    const std::string go = argc > 3 ? argv[3] : "";
    env.from_sequence(1, 10)
        .map(
            [](std::int64_t n, const std::string& go_on) {
              if (n == 1) write_file(go_on + ".running", "yes");
              while (n == 1 && !std::ifstream(go_on)) freshet::await([] { ::usleep(1'000); });
              return n;
            },
            go)
        .write_text(more);
    env.execute("writing");
    return 0;
  }
  if (how == "watch") {
    freshet::Configuration configuration = env.configuration();
    configuration.set(freshet::options::kJobId, more);
    const auto job = freshet::JobClient::from(configuration);
    const freshet::JobDetails details = job->details().get();
    std::printf("%s is %s", details.job_name.c_str(), freshet::name_of(job->status().get()));
    for (const auto& subtask : details.subtasks)
      std::printf(", a subtask %s", subtask.state.c_str());
    job->cancel().get();
    std::printf(", then %s\n", freshet::name_of(job->result().get().status));
    return 0;
  }
  if (how == "submit-and-throw" || how == "submit-and-return" || how == "submit-and-exit") {
    endless_job(env, more);
    static_cast<void>(env.execute_async("orphan"));
    if (how == "submit-and-throw") throw std::runtime_error("after submitting");
    if (how == "submit-and-exit") std::exit(3);
    return 3;
  }
  if (how == "write-and-exit") {  // before the job, which waits for a file, has ended
    env.from_sequence(1, 10)
        .map(
            [](std::int64_t n, const std::string& go_on) {
              while (::access(go_on.c_str(), F_OK) != 0) freshet::await([] { ::usleep(1'000); });
              return n;
            },
            more + ".go")
        .write_text(more);
    static_cast<void>(env.execute_async("left alone"));
    write_file(more + ".go", "");
    std::exit(0);
  }
  if (how == "break-off") {  // after the first row of many
    for (const std::int64_t n :
         env.from_sequence(1, std::int64_t{1} << 60).execute_and_collect("broken off")) {
      std::printf("row %lld\n", static_cast<long long>(n));
      break;
    }
    return 0;
  }
  if (how == "cancel-own" || how == "cancel-own-and-throw") {
    endless_job(env, more);
    const auto job = env.execute_async("own");
    while (::access(more.c_str(), F_OK) != 0) ::usleep(1'000);
    job->cancel().get();
    const freshet::JobResult result = job->result().get();
    if (how == "cancel-own") return result.status == freshet::JobStatus::kCanceled ? 0 : 1;
    throw freshet::JobCanceled(result.job_name);
  }
  if (how == "leave-a-task") {
    env.from_sequence(1, 10).map(leave_by, more).name("leaver").discard();
    env.execute("left");
    return 0;
  }
  if (how == "fail-at-first" || how == "fail-at-first-collecting") {
    const std::int64_t attempts = argc > 3 ? std::atoll(argv[3]) : 2;
    const std::int64_t at = argc > 4 ? std::atoll(argv[4]) : 7;
    auto rows =
        env.from_sequence(1, at + 3).map(fail_at_first, at, attempts, more).name("doubtful");
    if (how == "fail-at-first") {
      rows.write_text(more + "/out");
      env.execute("restarting");
      return 0;
    }
    std::int64_t sum = 0;
    for (const std::int64_t n : rows.execute_and_collect("restarting")) sum += n;
    std::printf("%lld\n", static_cast<long long>(sum));
    return 0;
  }
  std::fprintf(stderr, "unknown: %s\n", how.c_str());
  return 99;
}

}  // namespace

FRESHET_APPLICATION(run, "cluster_application", "0.1.0");
