// What fr-run says to people.
#pragma once

#include <string>

namespace freshet::tool {

// `text`, fit for a terminal (shown_text.h). It fits into a screen, whatever a user's exception says:
// at most twelve lines, without the stacks of all threads; unless -v asks for the `whole` of it.
// Lines after the first one begin with `indent`.
std::string shown_failure(const std::string& text, bool whole, const std::string& indent = {});

// One message on standard error, shown so.
void tell(const std::string& text, bool whole = false);

}  // namespace freshet::tool
