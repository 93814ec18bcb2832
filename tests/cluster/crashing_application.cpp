// An application that dies by a signal, in the place that its first argument says. Built with debug
// information.
#include <freshet/freshet.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace {

// The tests look for these names, and for the lines with a mark.
[[gnu::noinline]] std::int64_t read_through(const volatile std::int64_t* pointer) {
  return *pointer;  // mark: null
}

[[gnu::noinline]] std::int64_t give_up(std::int64_t n) {
  if (n > 0) std::abort();  // mark: abort
  return n;
}

[[gnu::noinline]] int dig(int depth, volatile char* above) {
  volatile char here[512];
  here[0] = static_cast<char>(depth);
  const int below = depth > 0 ? dig(depth - 1, here) : 0;  // mark: dig
  return below + here[0] + (above ? above[0] : 0);
}

struct RaisesInOpenOrClose {
  bool in_open = false;

  void open(freshet::RuntimeContext&) {
    if (in_open) ::raise(SIGSEGV);
  }
  void close() {
    if (!in_open) ::raise(SIGSEGV);
  }
  std::int64_t operator()(std::int64_t n) { return n; }
  void write_bound(freshet::PayloadWriter& to) const { to.value(in_open); }
  static RaisesInOpenOrClose read_bound(freshet::PayloadReader& from) {
    RaisesInOpenOrClose made;
    made.in_open = from.value<bool>();
    return made;
  }
};

int run(int argc, char** argv) {
  const std::string how = argc > 1 ? argv[1] : "";
  if (how == "main") read_through(nullptr);
  if (how == "main-raises") ::raise(SIGSEGV);
  struct Raises {
    bool armed;
    ~Raises() {
      if (armed) ::kill(::getpid(), SIGSEGV);
    }
  } const at_the_end{how == "destructor-raises"};

  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  auto numbers = env.from_sequence(1, 1'000).name("numbers");
  if (how == "open-raises" || how == "close-raises") {
    RaisesInOpenOrClose raises;
    raises.in_open = how == "open-raises";
    numbers.map(raises).discard();
  } else {
    numbers.rebalance()
        .map([](std::int64_t n) { return n + 1; })
        .name("first")
        .map(
            [](std::int64_t n, const std::string& what) {
              if (n == 500 && what == "null") return read_through(nullptr);
              if (n == 500 && what == "abort") return give_up(n);
              if (n == 500 && what == "throws-of-threads")
                throw std::runtime_error(
                    "it does not go on\nThe stacks of all threads:\n\f\nThe stacks of all "
                    "threads:\nthe cause: no room");
              if (n == 500 && what == "throws-lines") {
                std::string lines = "60 lines";
                for (int i = 2; i <= 60; ++i) lines += "\nline " + std::to_string(i);
                throw std::runtime_error(lines);
              }
              if (n == 500 && what == "overflow") return std::int64_t{dig(1'000'000'000, nullptr)};
              return n;
            },
            how)
        .name("crashes")
        .discard();
  }
  env.execute("crashing");
  return 0;
}

}  // namespace

FRESHET_APPLICATION(run, "crashing_application", "0.1.0");
