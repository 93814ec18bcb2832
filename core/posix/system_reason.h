// What the system said of a call that failed, and what to do about it.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

#include "freshet/error.h"

namespace freshet::core {

inline std::string system_reason(int error) { return std::strerror(error); }

// This process has no descriptor left for what was wanted; in a moment it may have one.
struct NoDescriptorLeft : InvalidInput {
  using InvalidInput::InvalidInput;
};

// Throws InvalidInput, NoDescriptorLeft if it is that.
[[noreturn]] inline void throw_failure(int error, const std::string& text) {
  if (error == EMFILE) throw NoDescriptorLeft(text);
  throw InvalidInput(text);
}

// "No space left on device: make room there", with `mend` unless the error itself says better.
inline std::string reason_with_mend(int error, const std::string& mend) {
  const std::string reason = system_reason(error);
  if (error == EMFILE)
    return reason + ": raise the limit of open files of this process (ulimit -n)";
  if (error == ENFILE) return reason + ": raise the host's limit of open files (fs.file-max)";
  return reason + ": " + mend;
}

}  // namespace freshet::core
