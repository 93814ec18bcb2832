// expect: is noexcept(false), and nobody could catch what it throws: make it noexcept
#include <freshet/freshet.h>

struct Doubled {
  ~Doubled() noexcept(false) {}
  std::int64_t operator()(std::int64_t i) const { return 2 * i; }
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).map(Doubled{}).print();
}
