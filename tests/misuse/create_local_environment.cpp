// expect: write get_execution_environment()
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env = freshet::StreamExecutionEnvironment::create_local_environment(4);
}
