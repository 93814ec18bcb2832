// Events as JSON Lines: one object a line; `type` is person, auction or bid.
#pragma once

#include <string_view>

#include "events.h"

namespace nexmark {

// Throws freshet::InvalidInput that says what is wrong, and shows the line.
Event parse_event(std::string_view line);

}  // namespace nexmark
