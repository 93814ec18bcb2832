// expect: joins are not in this version
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  auto names = env.from_elements({"one", "two"});
  env.from_sequence(1, 3).join(names).where([](std::int64_t i) { return i; }).print();
}
