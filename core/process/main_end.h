// How a main ended, as the process of its runner tells it: by its exit code or signal, and by its
// account of itself (own_account.h).
//
// Threads    Any.
#pragma once

#include <string>

#include "freshet/api.h"
#include "process/process_spawner.h"

namespace freshet::core {

struct MainResult;

struct MainEnd {
  bool returned_zero = false;
  // It left since a job of its own was canceled, or what it waited for was.
  bool canceled = false;
  // Of a main that did not: "main threw: no such file", "main exited with 3; it printed last: …",
  // "main was killed by signal 11 (Segmentation fault)".
  std::string reason;
};

FRESHET_API MainEnd main_end_of(const ProcessEnd& end);

// Of a main that ran in this process: what its runner exits with, 0 only if main has returned 0,
// and its account of it ("threw: no such file"), nothing if main has returned an exit code.
FRESHET_API int exit_code_of(const MainResult& main);
FRESHET_API std::string words_of(const MainResult& main);

}  // namespace freshet::core
