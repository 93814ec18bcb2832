// An application's module with options of its own, for option_module_test.cpp.
#include "freshet/configuration.h"

enum class Depth { kShallow, kDeep };

template <>
struct freshet::EnumNames<Depth> {
  static constexpr EnumName<Depth> kNames[] = {{Depth::kShallow, "shallow"},
                                               {Depth::kDeep, "deep"}};
};

namespace {

const freshet::ConfigOption<Depth> kDepth{"user.depth", Depth::kShallow, "How deep.",
                                          freshet::Scope::kJob};
const auto kRows =
    freshet::ConfigOption<std::int64_t>{"user.rows", 10, "How many rows.", freshet::Scope::kJob}
        .minimum(1);

}  // namespace

extern "C" __attribute__((visibility("default"))) bool is_deep(
    const freshet::Configuration& configuration) {
  return configuration.get(kDepth) == Depth::kDeep;
}
