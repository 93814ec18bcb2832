// expect: this record type has no Serde
#include <freshet/freshet.h>

class Account {
 public:
  Account() = default;
  explicit Account(std::int64_t number) : owner_(std::to_string(number)) {}

 private:
  std::string owner_;
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).map([](std::int64_t i) { return Account(i); }).discard();
}
