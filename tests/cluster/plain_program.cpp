// A program that calls execute() itself. First thing it opens the file of its first argument, if it
// has one, and prints.
#include <fcntl.h>
#include <freshet/freshet.h>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc > 1) {
    if (::open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0) return 2;
    std::printf("printed\n");
    std::fflush(stdout);
  }
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
