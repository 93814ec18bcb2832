// Which ABI versions of the SDK this core runs plugins of. Each has its headers and one plugin of each
// kind in tests/abi/, built and loaded by every later core: docs/maintainers/abi.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "freshet/plugin.h"

namespace freshet::core {

// By rising number, the SDK's own last.
inline constexpr std::uint32_t kKeptAbiVersions[] = {FRESHET_ABI_VERSION};

constexpr bool keeps_abi(std::uint32_t version) {
  return std::find(std::begin(kKeptAbiVersions), std::end(kKeptAbiVersions), version) !=
         std::end(kKeptAbiVersions);
}

// "2", "2, 3": for errors.
inline std::string kept_abi_versions() {
  std::string list;
  for (const std::uint32_t version : kKeptAbiVersions)
    list += (list.empty() ? "" : ", ") + std::to_string(version);
  return list;
}

}  // namespace freshet::core
