// Paths and names in URLs, in which a character may stand as '%' and two hex digits.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "freshet/api.h"

namespace freshet::core {

// Nothing if a '%' is not followed by two hex digits.
FRESHET_API std::optional<std::string> percent_decoded(std::string_view text);

// The last part of the path of `url`, decoded unless that would make it no plain name.
FRESHET_API std::string file_name_of(const std::string& url);

}  // namespace freshet::core
