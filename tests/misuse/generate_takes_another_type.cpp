// expect: generate(f): f takes a std::uint64_t
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.generate([](const std::string& s) { return s; }, 10).print();
}
