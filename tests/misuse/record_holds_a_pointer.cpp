// expect: holds a pointer, reference, span or view
#include <freshet/freshet.h>

struct Node {
  int value = 0;
  Node* next = nullptr;
};

void job(freshet::StreamExecutionEnvironment env) {
  env.from_sequence(1, 3).map([](std::int64_t) { return Node{}; }).discard();
}
