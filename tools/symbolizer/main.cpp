// fr-symbolizer: see crash/symbolizer.h.
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

#include "crash/crash_report.h"
#include "posix/descriptor.h"
#include "process/started_process.h"
#include "symbolizer/stacks.h"

namespace freshet::tool {
using namespace core;
namespace {

constexpr unsigned kMostSeconds = 10;

// As it is in the file, or alone.
std::string raw_report() {
  const Descriptor file(::fcntl(3, F_DUPFD_CLOEXEC, 0));
  const std::string raw = crash_report_in(file.get());
  return raw.empty() ? take_inherited() : raw;
}

void print_report(CrashReport& report, const Stacks& stacks, bool all_threads) {
  if (stacks.stage && *stacks.stage < report.operators.size())
    report.operators = {report.operators[*stacks.stage]};
  std::string text = "freshet: ";
  if (!report.operators.empty()) {
    text += "operator '" + report.operator_name() + "' (subtask " + std::to_string(report.subtask) +
            ")";
    if (report.records == 1) text += " at record " + std::to_string(report.first_record);
    text += ": ";
  } else if (!report.fiber.empty()) {
    text += "'" + report.fiber + "': ";
  }
  text += report.cause() + stacks.of_user_code + (all_threads ? stacks.of_all_threads : "") + "\n";
  std::fputs(text.c_str(), stderr);
}

int run(bool for_people, bool all_threads) {
  auto report = CrashReport::parse(raw_report());
  if (!report) return 1;
  Symbols symbols;
  const Stacks stacks = stacks_of(*report, symbols);
  if (for_people) {
    print_report(*report, stacks, all_threads);
  } else {
    std::printf("%s\n%s\f%s", stacks.stage ? std::to_string(*stacks.stage).c_str() : "",
                stacks.of_user_code.c_str(), stacks.of_all_threads.c_str());
  }
  return 0;
}

}  // namespace
}  // namespace freshet::tool

int main(int argc, char** argv) {
  ::alarm(freshet::tool::kMostSeconds);
  ::unsetenv("DEBUGINFOD_URLS");  // a dying process does not wait for the network
  const auto has = [&](std::string_view word) {
    return std::find(argv + 1, argv + argc, word) != argv + argc;
  };
  return freshet::tool::run(has("--report"), has("--all-threads"));
}
