// The connections of a listener whose peers have not said anything yet. They are kept within
// bounds: when more come, the oldest are hung up on. A peer that belongs here speaks within
// milliseconds, so whoever has waited longest is most likely a stranger, and those who hold
// connections keep nobody out.
//
// Reserve    The last descriptors that this process may open are not for peers: when a connection
//            takes one of them, the oldest is hung up on, too. If there is none left all the same,
//            those who wait are turned away, because the listener would spin otherwise.
// Threads    The network thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "posix/descriptor.h"

namespace freshet::core {

class UnprovenPeers {
 public:
  // What the socket monitor says. A text is the reason why a peer was refused for it, for people.
  void listening(int listener);
  std::optional<std::string> accepted(int descriptor);
  std::optional<std::string> could_not_accept(int error);
  // True: it was hung up on.
  bool ended(int descriptor);
  // Its first message is here.
  void spoke(int descriptor);

 private:
  bool hang_up_on_oldest();
  bool is_of_listener(int descriptor) const;
  bool turn_one_away();

  int listener_ = -1;
  Descriptor spare_;  // given up for a moment to take a connection and close it
  std::uint64_t last_arrival_ = 0;
  std::map<std::uint64_t, int> by_arrival_;  // descriptors
  std::map<int, std::uint64_t> arrivals_;    // also of those that were hung up on
};

}  // namespace freshet::core
