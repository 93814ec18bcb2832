// A control group (cgroup, version 2) for each child, where the kernel and the owner of ours let us
// make them. Whatever a child forks stays in it, and ends with it, also if this process was killed.
//
// Threads    Any.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "freshet/api.h"

namespace freshet::core {

class FRESHET_API ControlGroups {
 public:
  // Finds out whether groups may be made below ours.
  ControlGroups();
  // Empty ones there that processes of this host, which have ended, have left.
  static void remove_left_over();

  bool are_to_be_had() const { return !base_.empty(); }
  // The folder of a new group; empty if none can be made.
  std::filesystem::path make(std::uint64_t number) const;
  // Kills all that is in it.
  static void kill(const std::filesystem::path& group);
  // The processes in it, and in the groups that these have made inside of it.
  static std::vector<pid_t> processes(const std::filesystem::path& group);

  // Whether the memory of new groups can be limited. Makes it so where the owner of our group lets
  // us: this process goes to a group of its own inside of it then, because the kernel asks for it.
  bool can_limit_memory();
  // Of all that is in it together; false: it can't be limited. What exceeds it is killed as a
  // whole.
  static bool limit_memory(const std::filesystem::path& group, std::uint64_t bytes);
  // Whether the kernel has killed something there because memory was short.
  static bool ran_out_of_memory(const std::filesystem::path& group);

  // True: it is gone, or there was none. False: something runs in it.
  static bool remove_if_empty(const std::filesystem::path& group);
  // Once nothing runs in it; for a second at most, that is waited for.
  static void remove(const std::filesystem::path& group);

 private:
  std::filesystem::path base_;
};

// In a child that was started in a group: all of it is killed as soon as the thread that started
// the child ends, by a signal that no user code may block in every thread. Nothing where there is
// no group: then the child alone is killed.
FRESHET_API void end_group_with_parent();

}  // namespace freshet::core
