#include "network/zeromq_sockets.h"

#include <cassert>
#include <limits>

namespace freshet::core {
namespace {

constexpr int kLingerMs = 500;
// Of one socket; what is posted and other sockets have their turn then.
constexpr int kFramesAtOnce = 64;
constexpr int kEventsAtOnce = 1'024;

}  // namespace

ZeroMqSockets::ZeroMqSockets(const Clock& clock, NetworkThread& network, KeyPair own,
                             const char* domain, Report report)
    : network_(network),
      own_(std::move(own)),
      domain_(domain),
      report_(std::move(report)),
      refusals_(PeerLog::kLinesAtOnce, clock) {}

ZeroMqSockets::~ZeroMqSockets() { assert(dials_.empty() && listeners_.empty()); }

std::string ZeroMqSockets::listen(std::uint64_t number, const std::string& endpoint,
                                  bool with_keys) {
  Listener& listener = listeners_.try_emplace(number, refusals_).first->second;
  listener.socket =
      &network_.open(ZMQ_ROUTER, [this, number](NetworkSocket&) { read_listener(number); });
  try {
    NetworkSocket& socket = *listener.socket;
    socket.set(ZMQ_LINGER, kLingerMs);
    socket.set(ZMQ_ROUTER_MANDATORY, 1);
    set_listener_limits(socket);
    if (with_keys) let_in_admitted_keys(socket, own_, domain_);
    listener.monitor = std::make_unique<SocketMonitor>(network_, socket,
                                                       [this, number] { read_listener(number); });
    socket.bind(endpoint);
    listener.endpoint = socket.last_endpoint();
  } catch (...) {
    stop_listening(number);
    throw;
  }
  return listener.endpoint;
}

void ZeroMqSockets::stop_listening(std::uint64_t number) {
  const auto listener = listeners_.find(number);
  if (listener == listeners_.end()) return;
  listener->second.monitor.reset();
  network_.close(*listener->second.socket);
  listeners_.erase(listener);
  std::erase_if(incoming_, [&](const auto& each) { return each.second.listener == number; });
}

void ZeroMqSockets::dial(ConnectionId connection, const Address& to) {
  Dial& dial = dials_[connection];
  dial.server = to.key;
  dial.socket =
      &network_.open(ZMQ_DEALER, [this, connection](NetworkSocket&) { read_dial(connection); });
  NetworkSocket& socket = *dial.socket;
  try {
    set_dialer_limits(socket);
    if (!to.key.empty()) talk_to_owner_of(socket, to.key, own_);
    dial.monitor = std::make_unique<SocketMonitor>(network_, socket,
                                                   [this, connection] { read_dial(connection); });
    socket.connect(to.endpoint);
  } catch (const NetworkError& error) {
    close_dial(dial);
    dials_.erase(connection);
    add({SocketEvent::Kind::disconnected, connection, 0, {}, error.what()});
    report_events();
  }
}

void ZeroMqSockets::close_dial(Dial& dial) {
  dial.monitor.reset();
  network_.close(*dial.socket);
}

void ZeroMqSockets::send(ConnectionId connection, const std::string& bytes) {
  if (const auto dial = dials_.find(connection); dial != dials_.end()) {
    if (dial->second.connected)
      static_cast<void>(dial->second.socket->send(bytes.data(), bytes.size()));
    return;
  }
  const auto incoming = incoming_.find(connection);
  if (incoming == incoming_.end() || incoming->second.closed) return;
  const std::string& routing_id = incoming->second.routing_id;
  NetworkSocket& socket = *listeners_.at(incoming->second.listener).socket;
  // If the first part finds no peer, it has gone: its end is on the way.
  if (socket.send(routing_id.data(), routing_id.size(), ZMQ_SNDMORE) == 0) {
    static_cast<void>(socket.send(bytes.data(), bytes.size()));
  }
}

void ZeroMqSockets::close(ConnectionId connection) {
  if (const auto dial = dials_.find(connection); dial != dials_.end()) {
    if (dial->second.connected) dial->second.socket->set(ZMQ_LINGER, kLingerMs);
    close_dial(dial->second);
    dials_.erase(dial);
    return;
  }
  // libzmq can't end one connection of a listener: what it brings is dropped until it ends.
  const auto incoming = incoming_.find(connection);
  if (incoming != incoming_.end()) incoming->second.closed = true;
}

void ZeroMqSockets::expel(const PublicKey& key) {
  for (auto& [connection, incoming] : incoming_) {
    if (incoming.key != key || incoming.closed) continue;
    incoming.closed = true;
    add({SocketEvent::Kind::disconnected, connection, incoming.listener, key,
         "its key is expelled"});
  }
  report_events();
}

void ZeroMqSockets::close_all() {
  while (!dials_.empty()) close(dials_.begin()->first);
  while (!listeners_.empty()) stop_listening(listeners_.begin()->first);
}

void ZeroMqSockets::read_dial(ConnectionId connection) {
  const auto found = dials_.find(connection);
  if (found == dials_.end()) return;
  Dial& dial = found->second;
  bool ended = std::exchange(dial.ended, false);
  SocketMonitor::Event event;
  while (!ended && dial.monitor->take(event)) {
    switch (event.type) {
      case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
        dial.connected = true;
        add({SocketEvent::Kind::connected, connection, 0, dial.server, {}});
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        if (dial.failure.empty()) dial.failure = handshake_failure(event);
        ended = true;
        break;
      case ZMQ_EVENT_DISCONNECTED:
      case ZMQ_EVENT_CLOSED:
        ended = true;
        break;
      default:
        break;
    }
  }
  NetworkMessage message;
  for (int i = 0; i < kFramesAtOnce && dial.socket->receive(message); ++i) {
    bool single = !message.more();
    std::string bytes(message.data(), message.size());
    while (message.more() && dial.socket->receive(message)) {
    }
    if (single) {
      add({SocketEvent::Kind::frame, connection, 0, dial.server, std::move(bytes)});
    }
  }
  if (dial.socket->is_readable()) {  // and this is called again
    dial.ended = ended;
  } else if (ended) {
    std::string reason = "nobody answers there";
    if (dial.connected) reason = "the peer has closed the connection";
    if (!dial.failure.empty()) reason = "the handshake failed: " + dial.failure;
    close_dial(dial);
    dials_.erase(found);
    add({SocketEvent::Kind::disconnected, connection, 0, {}, std::move(reason)});
  }
  report_events();
}

void ZeroMqSockets::read_listener(std::uint64_t number) {
  const auto found = listeners_.find(number);
  if (found == listeners_.end()) return;
  Listener& listener = found->second;
  hear_monitor(listener, kEventsAtOnce);
  NetworkMessage routing_id;
  for (int i = 0; i < kFramesAtOnce && listener.socket->receive(routing_id); ++i) {
    take_frame(number, listener, routing_id);
  }
  if (!listener.socket->is_readable()) {  // else this is called again
    for (ConnectionId connection : std::exchange(listener.ending, {})) {
      end_incoming(listener, connection, "the peer has closed the connection");
    }
  }
  report_events();
}

void ZeroMqSockets::hear_monitor(Listener& listener, int most) {
  SocketMonitor::Event event;
  for (int i = 0; i < most && listener.monitor->take(event); ++i) {
    listener.arrivals.hear(event, listener.endpoint);
    if (event.type != ZMQ_EVENT_DISCONNECTED) continue;
    const auto connection = listener.by_descriptor.find(event.value);
    if (connection == listener.by_descriptor.end()) continue;
    listener.ending.push_back(connection->second);
    listener.by_descriptor.erase(connection);
  }
}

void ZeroMqSockets::take_frame(std::uint64_t number, Listener& listener,
                               NetworkMessage& routing_id) {
  const std::string id(routing_id.data(), routing_id.size());
  NetworkMessage message;
  if (!routing_id.more() || !listener.socket->receive(message)) return;
  const bool single = !message.more();
  const ConnectionId connection = connection_of(number, listener, message, id);
  Incoming& incoming = incoming_.at(connection);
  const PublicKey key = incoming.key;
  if (single && !incoming.closed) {
    add({SocketEvent::Kind::frame, connection, number, key, {message.data(), message.size()}});
  }
  if (single) return;
  while (message.more() && listener.socket->receive(message)) {
  }
  if (incoming.closed) return;
  incoming.closed = true;
  refusals_.warn("a peer that connected to " + listener.endpoint +
                 " is refused: a frame of several parts");
  add({SocketEvent::Kind::disconnected, connection, number, key, "a frame of several parts"});
}

ConnectionId ZeroMqSockets::connection_of(std::uint64_t number, Listener& listener,
                                          NetworkMessage& message, const std::string& routing_id) {
  const int descriptor = message.descriptor();
  const PublicKey key = message.property("User-Id");
  const auto known = listener.by_routing_id.find(routing_id);
  if (known != listener.by_routing_id.end()) {
    const Incoming& incoming = incoming_.at(known->second);
    if (incoming.descriptor == descriptor && incoming.key == key) return known->second;
  }
  hear_monitor(listener, std::numeric_limits<int>::max());
  if (known != listener.by_routing_id.end()) {  // a routing id that a peer chose, and chose again
    const ConnectionId earlier = known->second;
    std::erase(listener.ending, earlier);
    end_incoming(listener, earlier, "another connection took its place");
  }
  const ConnectionId connection = new_id();
  incoming_[connection] = Incoming{number, routing_id, descriptor, key};
  listener.by_routing_id[routing_id] = connection;
  if (listener.arrivals.first_message(descriptor)) {
    listener.by_descriptor[descriptor] = connection;
  } else {
    listener.ending.push_back(connection);
  }
  return connection;
}

void ZeroMqSockets::end_incoming(Listener& listener, ConnectionId connection,
                                 const std::string& reason) {
  const auto found = incoming_.find(connection);
  if (found == incoming_.end()) return;
  const Incoming& incoming = found->second;
  listener.by_routing_id.erase(incoming.routing_id);
  const auto by_descriptor = listener.by_descriptor.find(incoming.descriptor);
  if (by_descriptor != listener.by_descriptor.end() && by_descriptor->second == connection) {
    listener.by_descriptor.erase(by_descriptor);
  }
  if (!incoming.closed) {
    add({SocketEvent::Kind::disconnected, connection, incoming.listener, incoming.key, reason});
  }
  incoming_.erase(found);
}

void ZeroMqSockets::report_events() {
  if (!events_.empty()) report_(std::exchange(events_, {}));
}

}  // namespace freshet::core
