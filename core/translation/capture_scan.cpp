#include "translation/capture_scan.h"

#include <cstring>

#include "freshet/error.h"

namespace freshet::core {

std::optional<CapturedPointer> find_captured_pointer(const Payload& payload,
                                                     const ProcessModules::RangeOf& range_of) {
  for (const Payload::Closure& closure : payload.closures) {
    if (closure.second.size() != closure.size ||
        std::uint64_t{closure.offset} + closure.size > payload.bytes.size()) {
      throw InvalidInput("a payload of " + std::to_string(payload.bytes.size()) +
                         " bytes names a closure of " + std::to_string(closure.size) +
                         " bytes at byte " + std::to_string(closure.offset) + ", with a copy of " +
                         std::to_string(closure.second.size()));
    }
    const char* const first = payload.bytes.data() + closure.offset;
    for (std::uint32_t at = 0; at + sizeof(std::uintptr_t) <= closure.size;
         at += sizeof(std::uintptr_t)) {
      std::uintptr_t word = 0;
      std::memcpy(&word, first + at, sizeof word);
      if (std::memcmp(first + at, closure.second.data() + at, sizeof word) != 0) continue;
      if (std::string range = range_of(word); !range.empty()) return CapturedPointer{at, range};
    }
  }
  return std::nullopt;
}

}  // namespace freshet::core
