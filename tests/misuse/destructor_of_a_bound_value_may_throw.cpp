// expect: is noexcept(false), and nobody could catch what it throws: make it noexcept
#include <freshet/freshet.h>

struct Factor {
  std::int64_t value;
  ~Factor() noexcept(false) {}
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3)
      .map([](std::int64_t i, const Factor& factor) { return i * factor.value; }, Factor{2})
      .print();
}
