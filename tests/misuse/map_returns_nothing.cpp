// expect: map(f): f returns nothing
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).map([](std::int64_t) {}).print();
}
