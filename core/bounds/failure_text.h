// The text of a failure, and what only -v shows of it: the stacks of all threads of a process that
// died by a signal. Both travel as one text, with a byte between them that no text of user code
// has.
//
// Threads    Any.
#pragma once

#include <string>

#include "freshet/api.h"

namespace freshet::core {

struct FRESHET_API FailureText {
  // As join() made it.
  static FailureText split(const std::string& joined);
  std::string join() const;

  std::string text;
  std::string threads;  // begins with an end of line; empty: there are none
};

// More for people at the end of the text of a failure, before what only -v shows.
FRESHET_API std::string with_more(const std::string& joined, const std::string& more);

// Text of user code, such as an exception's, as it may become the text of a failure.
FRESHET_API std::string as_text_of_failure(std::string said);

}  // namespace freshet::core
