// Finds pointers among the captures of a function object: [&], a captured pointer, a view.
//
// A lint for honest mistakes, not a security boundary: a pointer to memory that is no longer mapped
// is not found, and a number may happen to look like a pointer (captures_no_pointers() says so).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "freshet/payload.h"
#include "translation/process_modules.h"

namespace freshet::core {

struct CapturedPointer {
  std::uint32_t offset = 0;  // from the beginning of the function object
  std::string range;         // what it points into
};

// The first one. Looks at aligned words of the payload's closures; bytes in which the two copies of
// a closure differ are padding and do not count. Throws InvalidInput if a closure leaves the bytes.
FRESHET_API std::optional<CapturedPointer> find_captured_pointer(
    const Payload& payload, const ProcessModules::RangeOf& range_of);

}  // namespace freshet::core
