// expect: windows are not in this version
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).window_all(5'000).apply([](int) { return 1; }).print();
}
