// expect: assign_timestamps(f): f takes a const Record&
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).assign_timestamps([](std::int64_t) { return std::string(); }).print();
}
