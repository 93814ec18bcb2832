// The raw report of a crash (crash_text.h) for people, without names of functions: where there is no
// program that finds them. Everything here may be called in a signal handler.
//
// Threads    One at a time.
#pragma once

#include <string_view>

#include "freshet/api.h"

namespace freshet::core {

// What fr-symbolizer prints, with modules and offsets, for addr2line, in place of names.
FRESHET_API void print_plain_report(int file, std::string_view raw, bool all_threads);

}  // namespace freshet::core
