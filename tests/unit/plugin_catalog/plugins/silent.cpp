// create() gives nothing and no reason.
#include "freshet/plugin/plugin_registration.h"

namespace {

void* create(char*, std::size_t) { return nullptr; }
void destroy(void*) {}

}  // namespace

FRESHET_DETAIL_MODULE(FRESHET_KIND_CONNECTOR, "silent", "0.1.0", &create, &destroy, nullptr);
