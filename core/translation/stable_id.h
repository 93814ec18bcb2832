// Ids that are equal in every process and run: of vertices and of jobs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"

namespace freshet::core {

// 32 hex digits: the first 128 bits of the SHA-256 over all parts, each behind its length, so that
// {"ab", "c"} and {"a", "bc"} differ.
FRESHET_API std::string stable_id(const std::vector<std::string_view>& parts);

}  // namespace freshet::core
