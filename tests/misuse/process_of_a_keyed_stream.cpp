// expect: state and timers by key are not in this version
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .key_by()
      .process([](const std::int64_t& i, freshet::ProcessContext&,
                  freshet::Collector<std::int64_t>& out) { out(i); })
      .print();
}
