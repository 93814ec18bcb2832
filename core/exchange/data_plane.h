// A worker's data socket: frames to and from the other workers of its job, and rows to the clients
// that collect them.
//
// Begin here. data_messages.h is what goes over it beside frames of elements (exchange/frame.h).
//
// Connections  One per pair of workers, made by the one with the higher number once the job's
//              addresses are known; a client makes its own. The first message is a hello. What is
//              no message of this protocol closes its connection, with one line in the log; what
//              one worker says of another than itself does, too.
// Loss         A connection to a worker does not come back: the worker is lost.
// Threads      The network thread tells the handler. Other calls as they say.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "clock/clock.h"
#include "exchange/data_messages.h"
#include "exchange/remote_receiver.h"
#include "exchange/remote_sender.h"
#include "freshet/api.h"
#include "network/arrivals.h"
#include "network/network_thread.h"
#include "network/socket_monitor.h"
#include "network/transport.h"
#include "network/zap_handler.h"
#include "security/keys.h"
#include "security/peer_log.h"

namespace freshet::core {

using ReaderId = std::uint64_t;  // a connection of a client that collects rows

// [network thread] What throws closes the connection that the message has come by.
class FRESHET_API DataHandler {
 public:
  virtual ~DataHandler();
  virtual void message_of_worker(std::uint32_t worker, DataKind kind,
                                 std::unique_ptr<NetworkMessage> message) = 0;
  virtual void worker_lost(std::uint32_t worker, const std::string& reason) = 0;
  virtual void reader_joined(ReaderId reader, const DataHello& hello) = 0;
  virtual void message_of_reader(ReaderId reader, DataKind kind, std::string_view message) = 0;
  virtual void reader_left(ReaderId reader) = 0;
};

struct DataMembership {
  std::string job_id;
  std::uint32_t number = 0;
  std::vector<Address> workers;  // by number
};

class FRESHET_API DataPlane final : public FrameSink, public CreditSink {
 public:
  // Clock and network thread outlive it, and so does its ZAP handler, which is needed to listen on
  // tcp. `own` is needed for tcp alone.
  DataPlane(const Clock& clock, NetworkThread& network, KeyPair own, ZapHandler* zap);
  // Closes every connection. [a thread that is not the network thread]
  ~DataPlane() override;
  DataPlane(const DataPlane&) = delete;
  DataPlane& operator=(const DataPlane&) = delete;

  // Once. ipc in `folder` if `one_host`, else tcp on `host`. Throws InvalidInput with the mend.
  Address listen(bool one_host, const std::string& folder, const std::string& host);
  // Lets a client with this key in. [any thread]
  void admit_reader(const PublicKey& key);
  // Connects to the other workers; what came before is told now. Once, after listen().
  void join(DataMembership membership, DataHandler& handler);
  // On tcp a worker lets others in once it has joined, so they come when all have: what is sent
  // before waits. On ipc they have come already. May repeat. [any thread]
  void everybody_has_joined();
  // Calls `last` on the network thread; the handler is told nothing more then. May repeat.
  void leave(const std::function<void()>& last = nullptr);

  // [any thread, none waits]
  void send(std::uint32_t worker, FramePointer frame) override;
  void grant(const std::vector<CreditGrant>& grants) override;
  void send(std::uint32_t worker, std::string message);
  void send_to_reader(ReaderId reader, std::string message);
  // What it has sent makes no sense.
  void close_worker(std::uint32_t worker, const std::string& reason);

 private:
  struct Peer;      // another worker
  struct Incoming;  // a connection to our listener
  struct Early;     // a message that came before join()

  bool is_tcp() const { return !listening_.key.empty(); }
  void receive_at_listener();
  void take_from_listener(const std::string& routing_id, std::unique_ptr<NetworkMessage> message);
  void take_from_incoming(const std::string& routing_id, Incoming& incoming,
                          std::unique_ptr<NetworkMessage> message);
  void welcome(const std::string& routing_id, Incoming& incoming, NetworkMessage& message);
  void receive_from(std::uint32_t worker);
  void take_from_worker(std::uint32_t worker, std::unique_ptr<NetworkMessage> message);
  void connect();
  void connect_to(std::uint32_t worker);
  void admit(const PublicKey& key);
  void send_to(std::uint32_t worker, std::unique_ptr<NetworkMessage> message);
  bool send_back(const std::string& routing_id, NetworkMessage& message);
  void hear_listener(int most);  // events
  void hear_peer(std::uint32_t worker);
  void lose(std::uint32_t worker, const std::string& reason);
  void refuse(const std::string& routing_id, const std::string& reason);
  void incoming_closed(int descriptor);
  void left(Incoming& incoming);
  void deliver(std::uint32_t worker, std::unique_ptr<NetworkMessage> message);
  void close_all();

  NetworkThread& network_;
  const KeyPair own_;
  ZapHandler* const zap_;

  // [network thread]
  Address listening_;
  NetworkSocket* listener_ = nullptr;
  std::unique_ptr<SocketMonitor> listener_monitor_;
  std::map<std::string, Incoming> incoming_;  // by routing id
  std::map<ReaderId, std::string> readers_;   // routing id
  std::set<PublicKey> admitted_readers_;
  std::vector<PublicKey> admitted_;  // by the ZAP handler
  PeerLog refusals_;
  Arrivals arrivals_{refusals_};
  ReaderId next_reader_ = 1;
  std::vector<Early> early_;
  std::size_t early_bytes_ = 0;
  DataMembership membership_;
  DataHandler* handler_ = nullptr;
  bool joined_ = false;
  bool connected_ = false;
  std::vector<Peer> peers_;  // by number
};

}  // namespace freshet::core
