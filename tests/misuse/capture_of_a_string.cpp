// expect: Bind the value as an extra argument
#include <freshet/freshet.h>

void job(freshet::StreamExecutionEnvironment env) {
  const std::string needle = "freedom";
  env.read_text("words")
      .filter([needle](std::string_view line) { return line.find(needle) != line.npos; })
      .print();
}
