#include "report.h"

#include <cstdio>

#include "shown_text.h"

namespace freshet::tool {

void tell(const std::string& text, bool whole) {
  constexpr std::size_t kMostLines = 10;
  std::string shown = "fr-run: ";
  std::size_t lines = 1;
  for (const char byte : shown_text(text)) {
    if (byte == '\n') ++lines;
    if (lines <= kMostLines || whole) shown += byte;
  }
  if (lines > kMostLines && !whole) {
    shown += "\n  (" + std::to_string(lines - kMostLines) + " lines more: fr-run -v)";
  }
  std::fprintf(stderr, "%s\n", shown.c_str());
}

}  // namespace freshet::tool
