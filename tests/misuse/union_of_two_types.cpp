// expect: union_with(others): all streams must have the same record type
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).union_with(env.from_elements({"a", "b"})).print();
}
