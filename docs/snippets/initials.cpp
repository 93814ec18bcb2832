// What README.md shows, compiled and run.
#include <freshet/freshet.h>

int count_initials(int argc, char** argv) {
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.read_text(argc > 1 ? argv[1] : "/usr/share/common-licenses")
      .filter([](std::string_view line) { return !line.empty(); })
      .map([](std::string_view line) { return line.substr(0, 1); })
      .key_by()
      .count()
      .print();
  env.execute("lines by their first letter");
  return 0;
}

FRESHET_APPLICATION(count_initials);
