// expect: can't be a key, it holds a pointer
#include <freshet/freshet.h>

struct Place {
  const char* name = "";
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by([](std::int64_t) { return Place{}; }).count().discard();
}
