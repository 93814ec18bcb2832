// expect: process(f): f can't be called with this stream's records
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .process([](const std::string& s, freshet::ProcessContext&,
                  freshet::Collector<std::string>& out) { out(s); })
      .print();
}
