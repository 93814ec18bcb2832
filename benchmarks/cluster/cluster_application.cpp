// What is measured on clusters: cluster_application.so CASE ARGUMENTS
//   tiny          one record
//   first FILE    writes into FILE when its first record comes to the sink
//   ticks FILE    without end; appends when, and in which process, each record comes to the sink
//   wide TASKS    without end; that many tasks behind each other
// Times are nanoseconds of CLOCK_MONOTONIC, which all processes of a host share.
#include <fcntl.h>
#include <freshet/freshet.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

constexpr auto note_time = [](std::uint64_t n, const std::string& file) {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  const std::string line = std::to_string(std::int64_t{t.tv_sec} * 1'000'000'000 + t.tv_nsec) +
                           " " + std::to_string(getpid()) + "\n";
  const int to = open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const bool written = to >= 0 && write(to, line.data(), line.size()) > 0;
  if (to >= 0) close(to);
  if (!written) throw std::runtime_error("can't write '" + file + "'");
  return n;
};

int measured(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "tiny";
  const std::string argument = argc > 2 ? argv[2] : "";
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  if (name == "tiny") {
    env.from_elements({1}).discard();
  } else if (name == "first") {
    env.from_elements({std::uint64_t{1}}).map(note_time, argument).discard();
  } else if (name == "ticks") {
    env.generate_forever([](std::uint64_t n) { return n; }, 1'000)
        .map(note_time, argument)
        .discard();
  } else {
    freshet::DataStream<std::uint64_t> stream =
        env.generate_forever([](std::uint64_t n) { return n; }, 1);
    for (int tasks = std::atoi(argument.c_str()); tasks > 2; --tasks) {
      stream = stream.map([](std::uint64_t n) { return n + 1; }).disable_chaining();
    }
    stream.map([](std::uint64_t n) { return n; }).disable_chaining().discard();
  }
  env.execute(std::string(name));
  return 0;
}

}  // namespace

FRESHET_APPLICATION(measured);
