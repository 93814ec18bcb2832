// expect: process(f): the result type can't be seen
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).process([](std::int64_t, freshet::ProcessContext&) {}).print();
}
