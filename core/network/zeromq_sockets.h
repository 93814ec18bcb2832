// The network thread's half of ZeroMqTransport: the sockets, and which connection is which.
//
// libzmq names a connection in three ways: frames by a routing id (the peer may choose it) and by
// the descriptor, monitor events by the descriptor alone, which is used again soon after. What the
// monitor tells is therefore taken up to a new connection's first frame before that frame is, and
// an end is reported only after all that the socket still had to read.
//
// Threads    The network thread, but for the constructor.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "network/arrivals.h"
#include "network/network_thread.h"
#include "network/socket_monitor.h"
#include "network/transport.h"
#include "network/zap_handler.h"

namespace freshet::core {

struct SocketEvent {
  enum class Kind { connected, frame, disconnected } kind;
  ConnectionId connection;
  std::uint64_t listener;  // 0: a connection of ours
  PublicKey key;
  std::string text;  // the frame's bytes; the reason
};

class ZeroMqSockets {
 public:
  using Report = std::function<void(std::vector<SocketEvent>)>;
  ZeroMqSockets(const Clock& clock, NetworkThread& network, KeyPair own, const char* domain,
                Report report);
  ~ZeroMqSockets();

  // Where it is bound. Throws NetworkError.
  std::string listen(std::uint64_t listener, const std::string& endpoint, bool with_keys);
  void stop_listening(std::uint64_t listener);
  // One attempt. Its end, also before it is connected, is reported as disconnected.
  void dial(ConnectionId connection, const Address& to);
  void send(ConnectionId connection, const std::string& bytes);
  void close(ConnectionId connection);
  void expel(const PublicKey& key);
  void close_all();

  ConnectionId new_id() { return ++last_id_; }  // [any thread]

 private:
  struct Dial {
    NetworkSocket* socket = nullptr;
    std::unique_ptr<SocketMonitor> monitor;
    bool connected = false;
    bool ended = false;  // what the socket still has to read comes first
    PublicKey server;
    std::string failure;  // of the handshake
  };
  struct Incoming {
    std::uint64_t listener;
    std::string routing_id;
    int descriptor;
    PublicKey key;
    bool closed = false;
  };
  struct Listener {
    explicit Listener(PeerLog& refusals) : arrivals(refusals) {}
    NetworkSocket* socket = nullptr;
    std::unique_ptr<SocketMonitor> monitor;
    std::string endpoint;
    std::map<std::string, ConnectionId> by_routing_id;
    std::map<int, ConnectionId> by_descriptor;
    std::vector<ConnectionId> ending;  // reported once all is read
    Arrivals arrivals;
  };

  void read_dial(ConnectionId connection);
  void read_listener(std::uint64_t listener);
  void hear_monitor(Listener& listener, int most);  // events
  void take_frame(std::uint64_t number, Listener& listener, NetworkMessage& routing_id);
  ConnectionId connection_of(std::uint64_t number, Listener& listener, NetworkMessage& message,
                             const std::string& routing_id);
  void end_incoming(Listener& listener, ConnectionId connection, const std::string& reason);
  void close_dial(Dial& dial);
  void add(SocketEvent event) { events_.push_back(std::move(event)); }
  void report_events();

  NetworkThread& network_;
  const KeyPair own_;
  const char* const domain_;
  const Report report_;
  std::atomic<ConnectionId> last_id_{0};
  PeerLog refusals_;
  std::map<ConnectionId, Dial> dials_;
  std::map<std::uint64_t, Listener> listeners_;
  std::map<ConnectionId, Incoming> incoming_;
  std::vector<SocketEvent> events_;
};

}  // namespace freshet::core
