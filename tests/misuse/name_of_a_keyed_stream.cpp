// expect: a keyed stream is no operator yet and has no name
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by().name("by number").count().print();
}
