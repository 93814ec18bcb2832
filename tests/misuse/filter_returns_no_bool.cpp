// expect: filter(f): f can't be called with this stream's records
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).filter([](std::int64_t) { return std::string(); }).print();
}
