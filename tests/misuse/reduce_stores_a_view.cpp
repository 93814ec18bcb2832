// expect: return std::string for std::string_view
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  env.read_text("words")
      .key_by()
      .reduce([](std::string_view a, std::string_view b) { return a < b ? b : a; })
      .print();
}
