// expect: print(): this record has no text
#include <freshet/freshet.h>

struct Point {
  int x = 0, y = 0;
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).map([](std::int64_t) { return Point{}; }).print();
}
