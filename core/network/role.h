// What a process is in its cluster, and which roles may send a message.
#pragma once

#include <cstdint>

#include "freshet/api.h"

namespace freshet::core {

enum class Role : std::uint8_t { kClient, kJobManager, kTaskManager, kWorker, kRunner };
FRESHET_API const char* name_of(Role role);

// Of a message M: `static constexpr Senders kFrom{Role::kClient, …}`.
class Senders {
 public:
  template <class... R>
  constexpr explicit Senders(Role first, R... others) : bits_((bit(first) | ... | bit(others))) {}
  static constexpr Senders anybody() {
    return Senders(Role::kClient, Role::kJobManager, Role::kTaskManager, Role::kWorker,
                   Role::kRunner);
  }
  constexpr bool contains(Role role) const { return (bits_ & bit(role)) != 0; }

 private:
  static constexpr std::uint32_t bit(Role role) { return 1U << static_cast<unsigned>(role); }
  std::uint32_t bits_;
};

}  // namespace freshet::core
