#include "report.h"

#include <cstdio>

#include "bounds/failure_text.h"
#include "shown_text.h"

namespace freshet::tool {
using namespace core;

std::string shown_failure(const std::string& text, bool whole, const std::string& indent) {
  constexpr std::size_t kMostLines = 10;
  const FailureText failure = FailureText::split(text);
  if (whole) return shown_text(failure.text + failure.threads, indent);
  std::string shown;
  std::size_t lines = 1;
  for (const char byte : failure.text) {
    if (byte == '\n') ++lines;
    if (lines <= kMostLines) shown += byte;
  }
  shown = shown_text(shown, indent);
  if (lines > kMostLines)
    shown += "\n  (" + std::to_string(lines - kMostLines) + " lines more: fr-run -v)";
  if (!failure.threads.empty()) shown += "\n  (the stacks of all threads: fr-run -v)";
  return shown;
}

void tell(const std::string& text, bool whole) {
  std::fprintf(stderr, "fr-run: %s\n", shown_failure(text, whole).c_str());
}

}  // namespace freshet::tool
