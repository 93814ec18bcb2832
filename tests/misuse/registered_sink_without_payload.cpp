// expect: can't be made from a payload
#include <freshet/plugin/connector.h>

#include <memory>

struct Drain {
  std::unique_ptr<int> depth{};
  void write(std::int64_t) {}
};

FRESHET_SINK("drains.write", std::int64_t, Drain);
