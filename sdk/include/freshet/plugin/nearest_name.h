// "Did you mean": for an error that names something unknown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"

namespace freshet {

// The one of `known` with the fewest edits from `wanted`, letter case aside; the first of equals.
// Empty when none is close enough to be a likely slip of the keyboard.
FRESHET_API std::string nearest_name(std::string_view wanted,
                                     const std::vector<std::string>& known);

}  // namespace freshet
