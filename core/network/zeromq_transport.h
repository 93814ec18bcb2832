// The real Transport: ROUTER sockets that listen, and a DEALER for each connection of ours.
//
// A DEALER lives for one attempt: libzmq's own reconnecting sends frames of before into the new
// connection, gives up after some refusals, and does not back off after others (libzmq issues 883,
// 3519). So the next attempt, 1 ms later at first and 100 ms at last, has a socket of its own.
//
// Security   Every tcp socket uses CURVE, loopback too; the ZapHandler decides who comes in, and a
//            frame's key is the one that its connection has proved. ipc uses none: its folder is
//            owner-only (security/owner_only_folder.h).
#pragma once

#include <memory>
#include <string>

#include "control/control_thread.h"
#include "freshet/api.h"
#include "network/network_thread.h"
#include "network/transport.h"
#include "network/zap_handler.h"

namespace freshet::core {

class FRESHET_API ZeroMqTransport final : public Transport {
 public:
  // All outlive it. Without keys (both halves empty) it does ipc alone. `domain` is what admit()
  // admits to.
  ZeroMqTransport(ControlThread& control, NetworkThread& network, ZapHandler& zap, KeyPair own,
                  const char* domain = kControlDomain);
  // What was sent goes out first, if its peer takes it within half a second, which the end of the
  // NetworkThread waits for. [control thread]
  ~ZeroMqTransport() override;

  Address listen(const std::string& endpoint, TransportEvents& events) override;
  void stop_listening(const Address& address) override;
  ConnectionId connect(const Address& to, TransportEvents& events) override;
  void send(ConnectionId connection, std::string bytes) override;
  void close(ConnectionId connection) override;
  void admit(const PublicKey& key, Role as) override;
  void expel(const PublicKey& key) override;
  bool may_be(const PublicKey& key, Role role) const override;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace freshet::core
