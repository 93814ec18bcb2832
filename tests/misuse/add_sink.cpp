// expect: write sink_to(s)
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  struct Sink {
    void write(const std::int64_t&) {}
  };
  env.from_sequence(1, 3).add_sink(Sink{});
}
