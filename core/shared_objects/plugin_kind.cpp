#include "shared_objects/plugin_kind.h"

#include <algorithm>
#include <iterator>

#include "freshet/plugin.h"

namespace freshet::core {
namespace {

#define FRESHET_MAKES(id_, number_, words_, interface_) \
  {number_, words_, "freshet::" #interface_, false},
#define FRESHET_PLAIN(id_, number_, words_) {number_, words_, "", false},
#define FRESHET_RESERVED(id_, number_, words_) {number_, words_, "", true},
constexpr PluginKind kKinds[] = {FRESHET_KINDS(FRESHET_MAKES, FRESHET_PLAIN, FRESHET_RESERVED)};
#undef FRESHET_MAKES
#undef FRESHET_PLAIN
#undef FRESHET_RESERVED

static_assert(std::is_sorted(std::begin(kKinds), std::end(kKinds),
                             [](const PluginKind& a, const PluginKind& b) {
                               return a.number <= b.number;
                             }),
              "each kind has a number of its own, the rows stand by rising number");

}  // namespace

std::span<const PluginKind> plugin_kinds() { return kKinds; }

const PluginKind* find_kind(std::uint32_t number) {
  for (const PluginKind& kind : kKinds)
    if (kind.number == number) return &kind;
  return nullptr;
}

std::string kind_name(std::uint32_t number) {
  const PluginKind* kind = find_kind(number);
  return kind == nullptr ? "kind " + std::to_string(number) : kind->name;
}

}  // namespace freshet::core
