// What ZeroMQ tells about the connections of one socket: accepted, proved, refused, gone.
//
// Threads    The network thread.
#pragma once

#include <cstdint>
#include <string>

#include "freshet/api.h"
#include "network/network_thread.h"

namespace freshet::core {

class SocketMonitor {
 public:
  struct Event {
    int type = 0;   // ZMQ_EVENT_...
    int value = 0;  // descriptor, errno, or the protocol error
  };
  // on_events: there are some to take(). The monitor goes before the socket.
  SocketMonitor(NetworkThread& network, NetworkSocket& socket,
                detail::UniqueFunction<void()> on_events);
  ~SocketMonitor();
  SocketMonitor(const SocketMonitor&) = delete;
  SocketMonitor& operator=(const SocketMonitor&) = delete;

  // The oldest; false: none.
  bool take(Event& event);

 private:
  NetworkThread& network_;
  NetworkSocket& socket_;
  NetworkSocket* events_;
};

// Of ZMQ_EVENT_HANDSHAKE_FAILED_..., for people.
std::string handshake_failure(const SocketMonitor::Event& event);

}  // namespace freshet::core
