// expect: f returns a bool
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by().sum([](std::int64_t i) { return i > 1; }).print();
}
