// expect: write_text(): on a keyed stream: aggregate first
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by().write_text("out").name("sink");
}
