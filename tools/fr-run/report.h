// What fr-run says to people.
#pragma once

#include <string>

namespace freshet::tool {

// One message on standard error. It fits into a screen, whatever a user's exception says, unless
// -v asks for the `whole` of it. Bytes that would steer a terminal are shown as '?'.
void tell(const std::string& text, bool whole = false);

}  // namespace freshet::tool
