// Who comes to a listener: which connections have come and gone before their first message was
// read, and why they were refused.
//
// The monitor names a connection by its descriptor, which is used again soon after. What it has to
// tell is therefore heard up to a new connection's first message before that message is taken.
//
// Threads    The network thread.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "freshet/api.h"
#include "network/network_thread.h"
#include "network/socket_monitor.h"
#include "network/unproven_peers.h"
#include "security/peer_log.h"

namespace freshet::core {

// Before bind(): how long a stranger may take to prove who it is, and how many may come at once.
FRESHET_API void set_listener_limits(NetworkSocket& listener);
// Before connect().
FRESHET_API void set_dialer_limits(NetworkSocket& dialer);

class FRESHET_API Arrivals {
 public:
  explicit Arrivals(PeerLog& refusals) : refusals_(refusals) {}

  // A refusal is told in one line, unless the ZAP handler has told it. What the bounds of
  // UnprovenPeers ask for is done.
  void hear(const SocketMonitor::Event& event, const std::string& endpoint);
  // A connection's first message is here. False: the connection has ended since. Once each.
  bool first_message(int descriptor);

 private:
  void judge_silent();
  void tell_refusal(const std::string& failure);

  PeerLog& refusals_;
  UnprovenPeers unproven_;
  std::set<int> gone_;            // descriptors that ended before a first message was read
  std::set<int> unseen_;          // descriptors accepted, without a message as yet
  std::string failure_;           // of the handshake that ends next
  std::size_t not_admitted_ = 0;  // of the unseen and the silent ones
  std::size_t proved_ = 0;        // of the unseen and the silent ones
  std::size_t silent_ = 0;        // ended before a first message, and nothing was told of them
  std::string endpoint_;          // for people
};

}  // namespace freshet::core
