// expect: key_by(f): f can't be called with this stream's records
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by([](const std::string& s) { return s; }).count().print();
}
