// expect: holds a pointer, reference, span or view
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .process([](std::int64_t i, freshet::ProcessContext&,
                  freshet::Collector<std::int64_t>& out) { out(i); },
               freshet::OutputTag<const char*>{"late"})
      .print();
}
