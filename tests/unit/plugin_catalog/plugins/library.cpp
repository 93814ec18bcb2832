// An operator library with nothing in it.
#include "freshet/plugin/plugin_registration.h"
#include "marker.h"

FRESHET_OPERATOR_LIBRARY("library", "0.1.0");
