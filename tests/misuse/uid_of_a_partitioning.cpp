// expect: a partitioning is no operator and has no uid
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).shuffle().uid("spread").print();
}
