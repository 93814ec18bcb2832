// What children have forked and left behind: this process, a subreaper, is its parent then.
//
// Threads    The one that waits for children.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "freshet/api.h"

namespace freshet::core {

// In the environment of a child, and so of what it forks: NAME=<a value of its own>.
constexpr const char* kProcessMark = "PROCESS_OF_FRESHET";

// Waits until the process, a child of ours that ends or has been killed, is no more.
void reap(pid_t process);

// Kills and reaps what came to this process from that child: of its session, or with its mark.
// `own` are children of this process itself, which stay.
void end_orphans_of(pid_t child, const std::string& mark, const std::set<pid_t>& own);

// Reaps those of them that have ended. `own` stay, and so does what others in this process have
// forked, such as a plugin, and wait for: that is of our session or of a thread of theirs.
void reap_orphans(const std::set<pid_t>& own);

}  // namespace freshet::core
