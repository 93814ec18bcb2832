// A job whose sinks stop at each step of their commit, for as long as a file there says so.
//   commit_application OUTPUT STEPS [wait | simple | fail | beside-stuck]
#include <freshet/freshet.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

namespace {

// Says that this process has come to the step, and goes on once it is held no more.
void at(const std::string& steps, const std::string& step) {
  const std::string hold = steps + "/hold-" + step, reached = steps + "/reached-" + step;
  if (::access(hold.c_str(), F_OK) != 0) return;
  const std::string draft = reached + "." + std::to_string(::getpid());
  std::ofstream(draft) << ::getpid();
  std::rename(draft.c_str(), reached.c_str());
  while (::access(hold.c_str(), F_OK) == 0) freshet::await([] { ::usleep(1'000); });
}

// As write_text() has it, with the steps.
struct SteppedSink {
  freshet::detail::TextPart part;
  std::string steps;
  std::string number{};

  void open(freshet::RuntimeContext& context) {
    number = std::to_string(context.subtask_index());
    part.open(context);
  }
  void write(std::int64_t value) {
    part.line() += std::to_string(value);
    part.end_line();
  }
  void end_of_input() { part.complete(); }
  freshet::PreparedFile prepare_commit() {
    at(steps, "before-prepare-" + number);
    freshet::PreparedFile file = part.prepare();
    at(steps, "after-prepare-" + number);
    return file;
  }
  std::string commit(const freshet::PreparedFile& file) {
    const std::string of = file.visible.substr(file.visible.rfind('-') + 1);
    at(steps, "before-commit-" + of);
    if (::access((steps + "/fail-commit-" + of).c_str(), F_OK) == 0) {
      std::ofstream(steps + "/failed-commit-" + of) << "yes";
      throw freshet::Error("it is told to fail");
    }
    std::string visible = file.commit();
    at(steps, "after-commit-" + of);
    if (::access((steps + "/say-much").c_str(), F_OK) == 0) visible.resize(70'000'000, '.');
    return visible;
  }
  void abort(const freshet::PreparedFile& file) { file.remove(); }
  void close() { part.abandon(); }
  void write_bound(freshet::PayloadWriter& to) const {
    to.value(part.folder());
    to.value(steps);
  }
  static SteppedSink read_bound(freshet::PayloadReader& from) {
    std::string folder = from.value<std::string>();
    return {freshet::detail::TextPart(std::move(folder)), from.value<std::string>()};
  }
};

// One with a simple commit(), which nobody repeats.
struct SimpleSink {
  std::string folder, steps;
  std::string number{};

  void open(freshet::RuntimeContext& context) { number = std::to_string(context.subtask_index()); }
  void write(std::int64_t) {}
  void commit() {
    at(steps, "before-commit-" + number);
    std::ofstream(folder + "/simple-" + number) << "yes";
  }
  void write_bound(freshet::PayloadWriter& to) const {
    to.value(folder);
    to.value(steps);
  }
  static SimpleSink read_bound(freshet::PayloadReader& from) {
    std::string folder = from.value<std::string>();
    return {std::move(folder), from.value<std::string>()};
  }
};

// Says that it has a record, and then neither returns nor awaits.
struct StuckSink {
  std::string steps;

  void write(std::int64_t) {
    std::ofstream(steps + "/stuck") << "yes";
    for (;;) ::pause();
  }
  void write_bound(freshet::PayloadWriter& to) const { to.value(steps); }
  static StuckSink read_bound(freshet::PayloadReader& from) { return {from.value<std::string>()}; }
};

int run(int argc, char** argv) {
  if (argc < 3) return 2;
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.set_parallelism(2);
  const std::string how = argc > 3 ? argv[3] : "";
  if (how == "beside-stuck") {
    env.from_sequence(1, 20).sink_to(StuckSink{argv[2]});
    static_cast<void>(env.execute_async("stuck"));
  }
  auto numbers = env.from_sequence(1, 20);
  if (how == "simple") {
    numbers.sink_to(SimpleSink{argv[1], argv[2]});
  } else {
    numbers.sink_to(SteppedSink{freshet::detail::TextPart(argv[1]), argv[2]});
  }
  if (how.empty()) {
    static_cast<void>(env.execute_async("commits"));
  } else if (how == "fail") {  // once it is committing
    static_cast<void>(env.execute_async("commits"));
    const std::string reached = std::string(argv[2]) + "/reached-before-commit-1";
    while (::access(reached.c_str(), F_OK) != 0) ::usleep(1'000);
    return 7;
  } else {
    env.execute("commits");
  }
  return 0;
}

}  // namespace

FRESHET_APPLICATION(run);
