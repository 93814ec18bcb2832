// expect: can't travel to a worker
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  auto factor = std::make_unique<std::int64_t>(2);
  env.from_sequence(1, 3)
      .map([factor = std::move(factor)](std::int64_t i) { return i * *factor; })
      .print();
}
