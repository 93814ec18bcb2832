#include "network/zeromq_transport.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <vector>

#include "network/endpoint.h"
#include "network/zeromq_sockets.h"

namespace freshet::core {
namespace {

constexpr std::int64_t kFirstRetryMs = 1;
constexpr std::int64_t kLastRetryMs = 100;

// What peers are told instead of "all addresses of this host".
std::string reachable(const std::string& bound) {
  return parse_endpoint(bound).is_wildcard() ? told_endpoint(bound, host_name()) : bound;
}

}  // namespace

// The control thread's half.
class ZeroMqTransport::State : public std::enable_shared_from_this<State> {
 public:
  State(ControlThread& control, NetworkThread& network, ZapHandler& zap, KeyPair own,
        const char* domain)
      : control_(control),
        network_(network),
        zap_(zap),
        own_(own),
        domain_(domain),
        sockets_(control.clock(), network, std::move(own), domain,
                 [this](std::vector<SocketEvent> events) { arrived(std::move(events)); }) {}

  // No event is taken from here on.
  void end() {
    // First, as other fibers run while the network thread is waited for: none may dial again.
    for (const auto& [connection, dial] : dials_) control_.cancel(dial.retry_timer);
    dials_.clear();
    listeners_.clear();
    network_.call([this] { sockets_.close_all(); });
    for (const auto& [key, role] : admitted_) zap_.expel(domain_, key);
  }

  Address listen(const std::string& text, TransportEvents& events) {
    Endpoint endpoint = parse_endpoint(text);
    const bool is_tcp = endpoint.kind == Endpoint::Kind::tcp;
    if (is_tcp && own_.secret_key.empty()) {
      throw InvalidInput("can't listen on '" + text +
                         "' without keys: whoever reaches the address could come in. Give the "
                         "process its key file, or listen on ipc");
    }
    if (endpoint.host == "localhost") endpoint.host = "127.0.0.1";
    const std::uint64_t number = ++last_listener_;
    std::string bound;
    try {
      bound = network_.call([&] { return sockets_.listen(number, endpoint.text(), is_tcp); });
    } catch (const NetworkError& error) {
      throw InvalidInput(std::string(error.what()) + ": choose another " +
                         (is_tcp ? "address or port, or port 0 for any that is free" : "path"));
    }
    Address address{reachable(bound), is_tcp ? own_.public_key : PublicKey()};
    listeners_[number] = {&events, address};
    return address;
  }

  void stop_listening(const Address& address) {
    for (auto each = listeners_.begin(); each != listeners_.end(); ++each) {
      if (each->second.address.endpoint != address.endpoint) continue;
      // Not by call(): a fiber that has been canceled may do this, too.
      network_.post([self = shared_from_this(), number = each->first] {
        self->sockets_.stop_listening(number);
      });
      listeners_.erase(each);
      return;
    }
  }

  ConnectionId connect(const Address& to, TransportEvents& events) {
    const Endpoint endpoint = parse_endpoint(to.endpoint);
    if (endpoint.kind == Endpoint::Kind::tcp && (to.key.empty() || own_.secret_key.empty())) {
      throw InvalidInput("can't connect to '" + to.endpoint +
                         "' without the keys of both sides: read them from the cluster's record");
    }
    const ConnectionId connection = sockets_.new_id();
    dials_[connection] = {to, &events, kFirstRetryMs, 0, {}};
    dial(connection);
    return connection;
  }

  void send(ConnectionId connection, std::string bytes) {
    network_.post([self = shared_from_this(), connection, bytes = std::move(bytes)] {
      self->sockets_.send(connection, bytes);
    });
  }

  void close(ConnectionId connection) {
    if (const auto dial = dials_.find(connection); dial != dials_.end()) {
      control_.cancel(dial->second.retry_timer);
      dials_.erase(dial);
    } else if (incoming_.erase(connection) == 0) {
      return;
    }
    network_.post([self = shared_from_this(), connection] { self->sockets_.close(connection); });
  }

  void admit(const PublicKey& key, Role as) {
    if (admitted_.insert_or_assign(key, as).second) zap_.admit(domain_, key);
  }
  bool may_be(const PublicKey& key, Role role) const {
    const auto found = admitted_.find(key);
    return key.empty() || (found != admitted_.end() && found->second == role);
  }
  void expel(const PublicKey& key) {
    if (admitted_.erase(key) == 0) return;
    zap_.expel(domain_, key);
    network_.post([self = shared_from_this(), key] { self->sockets_.expel(key); });
  }

 private:
  struct DialOf {
    Address to;
    TransportEvents* events;
    std::int64_t retry_ms;
    TimerId retry_timer;
    std::string told_reason;  // why it is down, as events were told; "" while it is up
  };
  struct ListenerOf {
    TransportEvents* events;
    Address address;
  };

  void dial(ConnectionId connection) {
    network_.post([self = shared_from_this(), connection, to = dials_.at(connection).to] {
      self->sockets_.dial(connection, to);
    });
  }

  // [network thread]
  void arrived(std::vector<SocketEvent> events) {
    bool first;
    {
      std::lock_guard lock(mutex_);
      first = inbox_.empty();
      std::move(events.begin(), events.end(), std::back_inserter(inbox_));
    }
    if (!first) return;
    control_.post("network", [weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->deliver();
    });
  }

  void deliver() {
    std::vector<SocketEvent> events;
    {
      std::lock_guard lock(mutex_);
      events.swap(inbox_);
    }
    for (SocketEvent& event : events) {
      if (event.listener != 0) {
        deliver_incoming(event);
      } else if (const auto dial = dials_.find(event.connection); dial != dials_.end()) {
        deliver_ours(event, dial->second);
      }
    }
  }

  void deliver_incoming(SocketEvent& event) {
    const auto listener = listeners_.find(event.listener);
    if (listener == listeners_.end()) return;
    TransportEvents& events = *listener->second.events;
    if (event.kind == SocketEvent::Kind::disconnected) {
      seen_.erase(event.connection);
      if (incoming_.erase(event.connection)) events.disconnected(event.connection, event.text);
      return;
    }
    if (seen_.insert(event.connection).second) incoming_.insert(event.connection);
    if (!incoming_.count(event.connection)) return;  // closed
    events.frame(event.connection, event.key, std::move(event.text));
  }

  void deliver_ours(SocketEvent& event, DialOf& dial) {
    switch (event.kind) {
      case SocketEvent::Kind::connected:
        dial.retry_ms = kFirstRetryMs;
        dial.told_reason.clear();
        dial.events->connected(event.connection);
        return;
      case SocketEvent::Kind::frame:
        dial.events->frame(event.connection, event.key, std::move(event.text));
        return;
      case SocketEvent::Kind::disconnected:
        break;
    }
    dial.retry_timer = control_.after_ms(dial.retry_ms, "connect again",
                                         [weak = weak_from_this(), connection = event.connection] {
                                           const auto self = weak.lock();
                                           if (self && self->dials_.count(connection))
                                             self->dial(connection);
                                         });
    dial.retry_ms = std::min(dial.retry_ms * 2, kLastRetryMs);
    if (dial.told_reason == event.text) return;
    dial.told_reason = event.text;
    dial.events->disconnected(event.connection, event.text);
  }

  ControlThread& control_;
  NetworkThread& network_;
  ZapHandler& zap_;
  const KeyPair own_;
  const std::string domain_;
  ZeroMqSockets sockets_;
  std::uint64_t last_listener_ = 0;
  std::map<std::uint64_t, ListenerOf> listeners_;
  std::map<ConnectionId, DialOf> dials_;
  std::set<ConnectionId> seen_;      // incoming ones that have not ended
  std::set<ConnectionId> incoming_;  // those of them that are not closed
  std::map<PublicKey, Role> admitted_;
  std::mutex mutex_;
  std::vector<SocketEvent> inbox_;
};

ZeroMqTransport::ZeroMqTransport(ControlThread& control, NetworkThread& network, ZapHandler& zap,
                                 KeyPair own, const char* domain)
    : state_(std::make_shared<State>(control, network, zap, std::move(own), domain)) {}
ZeroMqTransport::~ZeroMqTransport() { state_->end(); }
Address ZeroMqTransport::listen(const std::string& endpoint, TransportEvents& events) {
  return state_->listen(endpoint, events);
}
void ZeroMqTransport::stop_listening(const Address& address) { state_->stop_listening(address); }
ConnectionId ZeroMqTransport::connect(const Address& to, TransportEvents& events) {
  return state_->connect(to, events);
}
void ZeroMqTransport::send(ConnectionId connection, std::string bytes) {
  state_->send(connection, std::move(bytes));
}
void ZeroMqTransport::close(ConnectionId connection) { state_->close(connection); }
void ZeroMqTransport::admit(const PublicKey& key, Role as) { state_->admit(key, as); }
void ZeroMqTransport::expel(const PublicKey& key) { state_->expel(key); }
bool ZeroMqTransport::may_be(const PublicKey& key, Role role) const {
  return state_->may_be(key, role);
}

}  // namespace freshet::core
