// expect: flat_map(): on a keyed stream: aggregate first
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .key_by()
      .flat_map([](const std::int64_t& i, freshet::Collector<std::int64_t>& out) { out(i); })
      .print();
}
