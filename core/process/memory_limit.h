// How much memory a child may use, with all that it forks: by its control group where the kernel
// lets us limit it there, else its resident memory is looked at every 100 ms, and it is killed when
// that is above. So without control groups it may use more for a moment.
//
// Counted    By a control group: all memory, where clean pages of files are given back first. By
//            looking: what the process has written itself (anonymous and shared memory), not the
//            pages of files that it reads; of what it forks only where there are control groups.
// Threads    The one that starts the children.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

#include "freshet/api.h"
#include "freshet/memory_size.h"
#include "process/control_group.h"

namespace freshet::core {

struct MemoryLimit {
  MemorySize most = {};     // 0: none
  std::string option = {};  // which says so, for people
};

class FRESHET_API MemoryLimiter {
 public:
  // Logs which of the two it is.
  MemoryLimiter(ControlGroups& groups, MemoryLimit limit);

  // Whether is_exceeded_by() has to be asked, every 100 ms.
  bool watches() const { return way_ == Way::kWatch; }

  // Before the child has used much. The group may be empty: it has none.
  void limit(const std::filesystem::path& group) const;
  // Whether the kernel has ended what is in the group for the limit.
  bool has_ended(const std::filesystem::path& group) const;
  bool is_exceeded_by(pid_t process, const std::filesystem::path& group) const;
  // "it used more memory than 64 MiB, …", for people.
  std::string reason() const;

 private:
  enum class Way : std::uint8_t { kNone, kGroup, kWatch };

  const MemoryLimit limit_;
  Way way_ = Way::kNone;
};

}  // namespace freshet::core
