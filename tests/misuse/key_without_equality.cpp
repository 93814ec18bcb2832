// expect: but no equality
#include <freshet/freshet.h>

class Id {
 public:
  explicit Id(std::int64_t value) : value_(value) {}
  std::int64_t value() const { return value_; }

 private:
  std::int64_t value_;
};
template <>
struct freshet::KeyHash<Id> {
  static std::uint64_t hash(const Id& id) { return freshet::key_hash(id.value()); }
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).key_by([](std::int64_t i) { return Id(i); }).count().discard();
}
