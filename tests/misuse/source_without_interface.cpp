// expect: from_source(s): s is no source
#include <freshet/freshet.h>

struct Well {
  using Record = int;
  int next() { return 1; }
};

void job(freshet::StreamExecutionEnvironment env) { env.from_source(Well{}).print(); }
