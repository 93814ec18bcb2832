// expect: holds a pointer, reference, span or view
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).map([](std::int64_t i) { return i > 1 ? "big" : "small"; }).print();
}
