// What is mapped into this process at one moment, to tell a pointer in a payload from a number.
//
// A lint for honest mistakes: a payload's word that points into readable memory is taken for an
// address. [vsyscall] is left out, small negative numbers would hit it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "freshet/api.h"

namespace freshet::detail {

class FRESHET_API MappedMemory {
 public:
  struct Range {
    std::uintptr_t begin, end;
    std::string description;  // "[stack]", "[heap]", a file's path, or "anonymous memory"
  };

  // Reads /proc/self/maps. Holds nothing if that can't be read.
  static MappedMemory snapshot();
  // The same from the text of such a file.
  static MappedMemory from_text(const std::string& maps);

  // The range that holds the address, or nullptr. Valid as long as this object.
  const Range* find(std::uintptr_t address) const;
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;  // by address
};

}  // namespace freshet::detail
