// expect: flat_map(f): f can't be called with this stream's records
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .flat_map([](const std::string& s, freshet::Collector<char>& out) { out(s[0]); })
      .print();
}
