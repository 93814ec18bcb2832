// A child that is forked without exec while threads of the runtime run: it has copies of all that
// they work on, and none of them. It may do what it likes but run a job or ask for one; its exit()
// ends it at once, because the objects that would be destroyed wait for those threads.
//
// Threads    Any.
#pragma once

#include <exception>
#include <string>

namespace freshet::core {

// As long as one lives, threads of the runtime run, or are about to.
class RuntimeThreads {
 public:
  RuntimeThreads();
  ~RuntimeThreads();
  RuntimeThreads(const RuntimeThreads&) = delete;
  RuntimeThreads& operator=(const RuntimeThreads&) = delete;
};

// Whether this process is such a child.
bool is_forked_child() noexcept;
// Throws InvalidInput if it is. `what` can't be done here: "a job can't be run".
void refuse_in_forked_child(const std::string& what);
// That exception, for a future; null if it is not.
std::exception_ptr refusal_in_forked_child(const std::string& what);

}  // namespace freshet::core
