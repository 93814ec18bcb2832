// high-availability.type 'none': whoever asks leads, at once and alone, and nothing is kept.
#pragma once

#include <memory>

#include "freshet/api.h"
#include "freshet/plugin/high_availability.h"

namespace freshet::core {

FRESHET_API std::unique_ptr<HighAvailability> make_no_high_availability();

}  // namespace freshet::core
