// An application by its note, without a main.
#include "freshet/plugin/plugin_registration.h"
#include "marker.h"

FRESHET_DETAIL_MODULE(FRESHET_KIND_APPLICATION, "no-main", "0.1.0", nullptr, nullptr, nullptr);
