// An application that ends as its first argument says.
#include <freshet/freshet.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace {

std::string row(std::uint64_t n) { return "row " + std::to_string(n) + std::string(100, '.'); }

// Never takes the record after the first batches.
struct Stuck {
  void write(const std::string&) {
    freshet::await([] { ::usleep(200'000); });
  }
};

int run(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  const std::string more = argc > 2 ? argv[2] : "";
  if (how == "no-job") return std::atoi(more.c_str());
  if (how == "throw") throw std::runtime_error(more);
  if (how == "throw-number") throw 7;
  if (how == "arguments") {
    for (int i = 1; i < argc; ++i) std::printf("%s\n", argv[i]);
    return 0;
  }
  if (how == "wait") {
    std::printf("waiting\n");
    std::fflush(stdout);
    for (;;) ::pause();
  }

  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  if (how == "code") {
    env.from_elements({1, 2}).discard();
    env.execute("small");
    return std::atoi(more.c_str());
  }
  if (how == "parallelism") {
    env.from_sequence(1, 10).set_parallelism(std::atoi(more.c_str())).discard();
    env.execute();
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
  if (how == "not-waited-for") {
    env.generate(row, 1'000).write_text(more);
    static_cast<void>(env.execute_async("left alone"));
    return 0;
  }
  if (how == "much") {
    env.generate(row, 1'000'000).write_text(more);
    env.execute("much");
    return 0;
  }
  if (how == "exits-in-a-task") {
    env.from_sequence(1, 100)
        .map([](std::int64_t i) {
          if (i == 7) std::exit(3);
          return i;
        })
        .name("leaver")
        .discard();
    env.execute("left");
    return 0;
  }
  if (how == "endless") {
    env.generate_forever(row).write_text(more);
    env.execute("endless");
    return 0;
  }
  if (how == "idle") {
    env.generate_forever(row, 20).write_text(more);
    env.execute("idle");
    return 0;
  }
  if (how == "blocked") {
    env.generate_forever(row).disable_chaining().sink_to(Stuck{});
    env.generate_forever(row, 1'000).write_text(more);
    env.execute("blocked");
    return 0;
  }
  if (how == "printing") {
    env.generate_forever(row).print();
    env.execute("printing");
    return 0;
  }
  return 99;
}

}  // namespace

int fr_run_application(int argc, char** argv) { return run(argc, argv); }

FRESHET_APPLICATION(fr_run_application);
