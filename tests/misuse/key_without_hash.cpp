// expect: can't be a key, it has no key hash
#include <freshet/freshet.h>

class Id {
 public:
  explicit Id(std::int64_t value) : text_(std::to_string(value)) {}
  bool operator==(const Id&) const = default;

 private:
  std::string text_;
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by([](std::int64_t i) { return Id(i); }).count().discard();
}
