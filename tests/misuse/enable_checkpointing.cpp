// expect: checkpoints and savepoints are not in this version
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.enable_checkpointing(1'000);
  env.from_sequence(1, 3).print();
}
