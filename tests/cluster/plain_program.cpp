// A program that calls execute() itself.
#include <freshet/freshet.h>

#include <cstdio>

int main() {
  try {
    auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
    env.from_sequence(1, 10).discard();
    env.execute("plain");
    return 0;
  } catch (const freshet::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
