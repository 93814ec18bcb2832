// An operator library by the version ANOTHER_SDK of the SDK, whose ABI version is ANOTHER_ABI or
// this one's.
#include "freshet/plugin/plugin_registration.h"
#include "marker.h"

#undef FRESHET_VERSION_STRING
#define FRESHET_VERSION_STRING ANOTHER_SDK
#ifdef ANOTHER_ABI
#undef FRESHET_ABI_VERSION
#define FRESHET_ABI_VERSION ANOTHER_ABI
#endif

FRESHET_OPERATOR_LIBRARY("another-sdk", "0.1.0");
