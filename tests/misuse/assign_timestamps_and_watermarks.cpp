// expect: write assign_timestamps(f, out_of_orderness_ms)
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .assign_timestamps_and_watermarks([](std::int64_t i) { return i; })
      .print();
}
