// expect: min and max need a < b
#include <freshet/freshet.h>

struct Point {
  int x = 0, y = 0;
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by().min([](std::int64_t) { return Point{}; }).discard();
}
