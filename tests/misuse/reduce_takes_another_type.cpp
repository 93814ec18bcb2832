// expect: reduce(f): f can't be called with two of this stream's records
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .key_by()
      .reduce([](const std::string& a, const std::string& b) { return a + b; })
      .print();
}
