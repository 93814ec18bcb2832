// The kinds of shared objects, from the one table of them: FRESHET_KINDS in freshet/plugin.h.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "freshet/api.h"

namespace freshet::core {

struct PluginKind {
  std::uint32_t number;   // enum freshet_plugin_kind
  const char* name;       // "executor", "front end", ...
  const char* interface;  // "freshet::ExecutorFactory"; "" if it has none in the SDK
  bool reserved;          // refused by name, since its interface does not exist yet
};

// By rising number.
FRESHET_API std::span<const PluginKind> plugin_kinds();
// nullptr for a number that this version does not know.
FRESHET_API const PluginKind* find_kind(std::uint32_t number);
// Its name; "kind 77" for a number that this version does not know.
FRESHET_API std::string kind_name(std::uint32_t number);

}  // namespace freshet::core
