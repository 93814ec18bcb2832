// expect: sink_to(s): s has no write(const Record&)
#include <freshet/freshet.h>

struct Drain {
  void write(const std::string&) {}
};

void job(freshet::StreamExecutionEnvironment env) { env.from_sequence(1, 3).sink_to(Drain{}); }
