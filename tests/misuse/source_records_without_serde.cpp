// expect: this record type has no Serde
#include <freshet/freshet.h>

class Hidden {
  std::string text_;
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_collection(std::vector<Hidden>(3)).discard();
}
