// expect: a partitioning is no operator and has no parallelism
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).shuffle().set_parallelism(2).print();
}
