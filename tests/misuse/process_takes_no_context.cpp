// expect: process(f): f can't be called with this stream's records
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .process([](std::int64_t i, freshet::Collector<std::int64_t>& out) { out(i); })
      .print();
}
