// expect: reduce(f): f changes the type
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.from_elements({"a", "b"})
      .key_by()
      .reduce([](const std::string& a, const std::string& b) { return a.size() + b.size(); })
      .print();
}
