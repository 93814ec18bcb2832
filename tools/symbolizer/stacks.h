// The stacks of a crash report, for people.
#pragma once

#include <optional>
#include <string>

#include "crash/crash_report.h"
#include "symbolizer/symbols.h"

namespace freshet::tool {
using namespace core;

struct Stacks {
  std::string of_user_code;  // of the thread that died; its top frames if it has none of user code
  std::string of_all_threads;
  std::optional<std::size_t> stage;  // of a kernel: whose code ran, if that can be told
};

// Each line begins with an end of line.
Stacks stacks_of(const CrashReport& report, Symbols& symbols);

}  // namespace freshet::tool
