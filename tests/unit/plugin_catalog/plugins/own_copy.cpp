// Holds COPIED_SYMBOL, as one does that was linked with the static library that defines it.
#include "freshet/plugin/plugin_registration.h"
#include "marker.h"

extern "C" __attribute__((used)) void copied() __asm__(COPIED_SYMBOL);
extern "C" void copied() {}

FRESHET_OPERATOR_LIBRARY("own-copy", "0.1.0");
