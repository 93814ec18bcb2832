// A control group (cgroup, version 2) for each child, where the kernel and the owner of ours let us
// make them. Whatever a child forks stays in it, and ends with it, also if this process was killed.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "freshet/api.h"

namespace freshet {

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
  // Once nothing runs in it; for a second at most, that is waited for.
  static void remove(const std::filesystem::path& group);

 private:
  std::filesystem::path base_;
};

// In a child that was started in a group: all of it is killed as soon as the thread that started
// the child ends, by a signal that no user code may block in every thread. Nothing where there is
// no group: then the child alone is killed.
FRESHET_API void end_group_with_parent();

}  // namespace freshet
