// expect: flat_map(f): the result type can't be seen
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).flat_map([](std::int64_t i, auto& out) { out(i); }).print();
}
