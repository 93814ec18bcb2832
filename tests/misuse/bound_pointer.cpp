// expect: a bound value has no Serde
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  const std::string needle = "freedom";
  env.read_text("words")
      .filter([](std::string_view line, const char* text) { return line == text; }, needle.c_str())
      .print();
}
