// expect: a keyed stream is no operator yet and has no uid
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by().uid("by number").count().print();
}
