// expect: a keyed stream can't be joined
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  auto numbers = env.from_sequence(1, 3);
  numbers.union_with(numbers.key_by()).print();
}
