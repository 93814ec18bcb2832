// How a module was compiled (freshet/plugin/build_tag.h), compared with how core was.
//
// Refused: what would really break, i.e. another standard library, its ABI flag or debug mode,
// another Boost or sanitizer, instructions that this host lacks. Compiler, its version and the C++
// level are shown and not judged: a plugin by clang runs in a core by gcc. Neither is the number of
// the SDK's ABI, which the note's head has as well: abi_versions.h.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "freshet/api.h"

namespace freshet::core {

// Names as in instruction_sets.h: "avx2", "x86-64-v3", ...
using HostHas = std::function<bool(std::string_view)>;

class FRESHET_API BuildTag {
 public:
  // The value of `isa` is turned into names (instruction_sets.h).
  explicit BuildTag(std::string_view text);
  static const BuildTag& of_core();

  // Empty if the tag does not have the field.
  std::string_view value(std::string_view field) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const { return fields_; }

  // Why a module with this tag can't run in a core built as `core` on a host with those
  // instructions: every mismatch with both values and the mend, empty if it can.
  std::string refusal(const BuildTag& core, const HostHas& host_has) const;
  // "compiler clang 14.0.6 (here gcc 12.2.0)", one for each field that differs and is not judged.
  std::vector<std::string> shown_differences(const BuildTag& core) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

// Asks this processor.
FRESHET_API bool host_has_instructions(std::string_view name);

}  // namespace freshet::core
