// Calls what a library defines, or what nobody does.
#include "freshet/plugin/plugin_registration.h"
#include "marker.h"

#ifndef NEEDY_KIND
#define NEEDY_KIND FRESHET_KIND_CONNECTOR
#endif

extern "C" int from_elsewhere();

namespace {

void* create(char*, std::size_t) { return reinterpret_cast<void*>(&from_elsewhere); }
void destroy(void*) {}

}  // namespace

FRESHET_DETAIL_MODULE(NEEDY_KIND, "needy", "0.1.0", &create, &destroy, nullptr);
