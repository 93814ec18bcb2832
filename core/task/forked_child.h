// A child that is forked without exec while threads of the runtime run: it has copies of all that
// they work on, and none of them. It may do what it likes but run a job; its exit() ends it at
// once, since the objects that would be destroyed wait for those threads.
//
// Threads    Any.
#pragma once

#include <string>

namespace freshet {

// As often as each other; in between, threads of the runtime run.
void runtime_threads_begin();
void runtime_threads_ended() noexcept;

// Whether this process is such a child.
bool is_forked_child() noexcept;
// Throws InvalidInput if it is. `what` can't be done here: "a job can't be run".
void refuse_in_forked_child(const std::string& what);

}  // namespace freshet
