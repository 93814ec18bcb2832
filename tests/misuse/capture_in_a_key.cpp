// expect: can't travel to a worker
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  std::vector<std::int64_t> groups{1, 2};
  env.from_sequence(1, 3)
      .key_by([groups](std::int64_t i) { return groups[i % 2]; })
      .count()
      .print();
}
