// expect: this aggregate's f can't be called with the stream's records
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by().max([](const std::string& s) { return s.size(); }).print();
}
