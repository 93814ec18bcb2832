// Frames between processes, as roles see the network: connections that carry whole frames in order,
// and that break.
//
// Two of them: ZeroMqTransport (zeromq_transport.h) and the simulated one (simulation/). Whoever
// wants more than "in order while the connection lasts" uses a Link (link.h), which brings frames
// that a broken connection lost, once each.
//
// Threads    Every call from the control thread.
//            Events come on the control thread, too, in fibers of their own and never from inside
//            of a call.
#pragma once

#include <cstdint>
#include <string>

#include "freshet/api.h"
#include "network/role.h"
#include "security/keys.h"

namespace freshet::core {

// Where a listener is. Peers are told one only once it is bound.
struct Address {
  std::string endpoint;  // "tcp://127.0.0.1:4711" or "ipc:///run/user/1000/freshet/c1/control"
  PublicKey key;         // the listener's; empty on ipc, where the folder is what protects it
};

using ConnectionId = std::uint64_t;  // never used again in the life of a transport

class TransportEvents {
 public:
  virtual ~TransportEvents() = default;
  // One of ours is up, for the first time or again. What was sent before may be lost.
  virtual void connected(ConnectionId connection) = 0;
  // One of ours, or one that a peer has made to a listener of ours. `key` is what the peer has
  // proved to own; empty on ipc. The first frame of an id is how an incoming connection shows.
  virtual void frame(ConnectionId connection, const PublicKey& key, std::string bytes) = 0;
  // It is down. One of ours is tried again by the transport until close(), 1 ms later at first and
  // backing off to 100 ms; an incoming one is gone, and comes back under another id.
  virtual void disconnected(ConnectionId connection, const std::string& reason) = 0;
};

class FRESHET_API Transport {
 public:
  virtual ~Transport();
  // Binds; port 0 or `*` draws a free port. The address is bound when this returns. Throws
  // InvalidInput with endpoint, reason and mend. `events` outlives the listener.
  virtual Address listen(const std::string& endpoint, TransportEvents& events) = 0;
  // Nothing comes from the listener and its connections any more.
  virtual void stop_listening(const Address& address) = 0;
  // Returns at once. `events` outlives the connection. Throws InvalidInput if the address is none,
  // or keys are missing.
  virtual ConnectionId connect(const Address& to, TransportEvents& events) = 0;
  // Never waits; dropped if the connection is down.
  virtual void send(ConnectionId connection, std::string bytes) = 0;
  // Nothing comes from it any more. May repeat.
  virtual void close(ConnectionId connection) = 0;
  // Whom listeners let in, and as what. Nobody, until said so; expel() closes what that key has
  // open.
  virtual void admit(const PublicKey& key, Role as) = 0;
  virtual void expel(const PublicKey& key) = 0;
  // Whether who has proved that key may call itself that. Always on ipc, where there are no keys.
  virtual bool may_be(const PublicKey& key, Role role) const = 0;
};

}  // namespace freshet::core
