// expect: can't travel to a worker
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  std::string separator = ",";
  env.from_elements({"a", "b"})
      .key_by()
      .reduce([separator](const std::string& a, const std::string& b) { return a + separator + b; })
      .print();
}
