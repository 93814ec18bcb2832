// The smallest job there is, for the time from start to exit.
#include <freshet/freshet.h>

namespace {
int tiny(int, char**) {
  auto env = freshet::StreamExecutionEnvironment::get_execution_environment();
  env.from_elements({1}).discard();
  env.execute("tiny");
  return 0;
}
}  // namespace

FRESHET_APPLICATION(tiny);
