// expect: FRESHET_SINK(name, Record, S): S has no write(const Record&)
#include <freshet/plugin/connector.h>

struct Drain {
  void put(std::int64_t) {}
};

FRESHET_SINK("drains.write", std::int64_t, Drain);
