// expect: streams of two types are joined by union_with()
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  auto names = env.from_elements({"one", "two"});
  env.from_sequence(1, 3).connect(names).map([](std::int64_t i) { return i; }).print();
}
