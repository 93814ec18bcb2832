// Which instruction sets a module was compiled for, and which this processor has.
//
// Names are those of the compilers' options: "avx2", "amx-tile"; and the levels "x86-64-v2", ...
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/api.h"

namespace freshet::core {

// The build tag's `isa` in names: "x86-64-v2:ff08..." (freshet/plugin/build_tag.h) becomes
// "x86-64-v2+aes", the level and what is beyond it. What is not of that form stays as it is, and
// a set that came later is "set 72".
FRESHET_API std::string named_instruction_sets(std::string_view isa);

// What a processor has, from the text of /proc/cpuinfo.
class FRESHET_API HostInstructions {
 public:
  explicit HostInstructions(std::string_view cpuinfo);
  // Of this host, read once.
  static const HostInstructions& of_this_host();

  // False for a name that is not known.
  bool has(std::string_view name) const;

 private:
  std::set<std::string, std::less<>> flags_;
};

}  // namespace freshet::core
