// expect: sink_to(s): s has no write(const Record&)
#include <freshet/freshet.h>

struct Drain {
  void put(std::int64_t) {}
};

void job(freshet::StreamExecutionEnvironment env) { env.from_sequence(1, 3).sink_to(Drain{}); }
