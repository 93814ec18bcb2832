// expect: at most three values can be bound
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .map([](std::int64_t i, int a, int b, int c, int d) { return i + a + b + c + d; }, 1, 2, 3, 4)
      .print();
}
