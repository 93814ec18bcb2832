// What is needed to commit a job whose tasks have all finished, and to tell its result: kept for
// whoever leads next.
#pragma once

#include <vector>

#include "messages/messages.h"

namespace freshet::core {

struct JobCommit {
  std::vector<Committable> committables;
  bool simple_commits = false;      // some tasks have a commit() of their own, which nobody repeats
  std::vector<TaskReport> reports;  // of the workers
  FRESHET_MESSAGE_FIELDS(committables, simple_commits, reports);
};

}  // namespace freshet::core
