// Takes the lines of the connector in docs/snippets for something else: each way one.
#include <freshet/freshet.h>

#include <cstdint>

int wrong_records(int, char** argv) {
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  if (std::string_view(argv[1]) == "source") {
    env.from_registered<std::int64_t>("notes.read", freshet::payload_of(argv[2]))
        .map([](std::int64_t n) { return n + 1; })
        .discard();
  } else {
    env.from_sequence(1, 3).sink_to_registered("notes.write", freshet::payload_of(argv[2]));
  }
  env.execute("wrong records");
  return 0;
}

FRESHET_APPLICATION(wrong_records);
