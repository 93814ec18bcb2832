// The signals by which people and systems ask a process to end: SIGTERM; SIGINT and SIGHUP unless
// whoever started this process had it ignore them, as nohup does, and a shell its background jobs.
//
// They are caught by a handler and not blocked: whatever this process starts, by whatever means,
// gets them as usual. A child that is forked without exec ends by them.
//
// Threads    Any.
#pragma once

#include "freshet/api.h"

namespace freshet::core {

// Whether this process has been started with that signal ignored. Before anybody handles it.
FRESHET_API bool is_ignored(int signal);

class FRESHET_API CaughtSignals {
 public:
  // From now on they are caught. Once per process, before wait().
  static void begin();
  // Blocks the thread until the next has come: its number; 0: wake() was called.
  static int wait();
  static void wake();
  // Readable once one has come. Closed by nobody. Throws InvalidInput if there is none to be had.
  static int descriptor();
};

}  // namespace freshet::core
