// expect: sum needs a + b
#include <freshet/freshet.h>

enum class Color { kRed, kGreen };

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by().sum([](std::int64_t) { return Color::kRed; }).print();
}
