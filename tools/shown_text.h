// Text of users (failures, names) fit for a terminal.
#pragma once

#include <string>

namespace freshet::tool {

// Bytes that would steer a terminal become '?'; lines behind the first one begin with `indent`.
inline std::string shown_text(const std::string& text, const std::string& indent = {}) {
  std::string shown;
  for (const char byte : text) {
    const bool harmless = static_cast<unsigned char>(byte) >= ' ' && byte != '\x7f';
    shown += harmless || byte == '\n' || byte == '\t' ? byte : '?';
    if (byte == '\n') shown += indent;
  }
  return shown;
}

}  // namespace freshet::tool
