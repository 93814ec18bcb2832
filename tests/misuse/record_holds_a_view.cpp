// expect: std::string for string_view
#include <freshet/freshet.h>

struct Word {
  std::string_view text;
  int count = 0;
};

void job(freshet::StreamExecutionEnvironment env) {
  env.read_text("words").map([](std::string_view line) { return Word{line, 1}; }).discard();
}
