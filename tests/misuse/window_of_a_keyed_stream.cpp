// expect: windows are not in this version
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .key_by()
      .window(5'000)
      .allowed_lateness(10)
      .sum([](std::int64_t i) { return i; })
      .print();
}
