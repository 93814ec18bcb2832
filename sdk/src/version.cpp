#include "freshet/api.h"

namespace freshet {

const char* sdk_version() noexcept { return FRESHET_VERSION_STRING; }

}  // namespace freshet
