#include "freshet/application.h"

namespace {
int run(int, char**) { return 0; }
}  // namespace

FRESHET_APPLICATION(run);
