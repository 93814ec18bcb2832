// Its create() throws, which the contract forbids; so does its destroy().
#include <stdexcept>

#include "freshet/plugin/plugin_registration.h"

namespace {

void* create(char*, std::size_t) { throw std::runtime_error("I say what I think"); }
void destroy(void*) { throw std::runtime_error("I do not go"); }

}  // namespace

FRESHET_DETAIL_MODULE(FRESHET_KIND_CONNECTOR, "outspoken", "0.1.0", &create, &destroy, nullptr);
