// expect: assign_timestamps(f): f takes a const Record&
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .assign_timestamps([](const std::string& s) { return std::int64_t(s.size()); })
      .print();
}
