// A case of `fr plugin check` in a process of its own.
#pragma once

#include <string>

#include "plugin/check.h"

namespace freshet::tool {
using namespace core;

// What the case reports: frames of plan_channel.h.
inline constexpr char kCasePassed = 'P';
inline constexpr char kCaseFailed = 'F';
inline constexpr char kCaseSkipped = 'S';
inline constexpr char kCaseNote = 'N';
inline constexpr char kCaseDoing = 'D';

struct CaseResult {
  enum class Verdict { kPassed, kFailed, kSkipped };
  Verdict verdict = Verdict::kFailed;
  std::string detail;  // why it failed or was skipped, or a note; may have several lines
  double seconds = 0;
};

// Thrown by run_case() when Ctrl-C, SIGTERM or SIGPIPE asks fr to end: nothing of the case is left
// then.
struct Interrupted {};
// From here on they do nothing else, also between two cases.
void hold_interrupts();

// In the parent. A crash, and an end that does not come within `limit_seconds`, are failures.
CaseResult run_case(const CheckRequest& request, const std::string& name, double limit_seconds);

// In the child: `channel` is what the parent has passed with --report-to. Returns fr's exit code,
// or does not return.
int run_case_here(const CheckRequest& request, const std::string& name, const std::string& channel);

}  // namespace freshet::tool
