// expect: FRESHET_SOURCE(name, S): S is no source
#include <freshet/plugin/connector.h>

struct Well {
  using Record = int;
  int next() { return 1; }
};

FRESHET_SOURCE("wells.read", Well);
