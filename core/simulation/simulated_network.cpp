#include "simulation/simulated_network.h"

#include <algorithm>
#include <cassert>
#include <deque>

#include "freshet/error.h"

namespace freshet::core {
namespace {

constexpr std::int64_t kMicrosecond = 1'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kFirstRetry = 1 * kMillisecond;
constexpr std::int64_t kLastRetry = 100 * kMillisecond;

}  // namespace

// A connection that a node keeps trying to have, over any number of pipes.
struct SimulatedNetwork::Outgoing {
  std::uint64_t id;
  Node* dialer;
  Address to;
  TransportEvents* events;
  std::uint64_t pipe = 0;  // 0: down
  std::int64_t retry_ns = kFirstRetry;
};

// One connection while it lasts. Each end has what is under way to it.
struct SimulatedNetwork::Pipe {
  struct End {
    Node* node;
    TransportEvents* events;
    std::uint64_t id;  // of the connection, as this end knows it
    bool open = true;  // it wants what comes
    std::deque<std::string> under_way;
    std::int64_t last_arrival_ns = 0;
  };
  std::uint64_t id;
  End dialer, listener;
  PublicKey dialer_key, listener_key;
};

class SimulatedNetwork::Node final : public Transport {
 public:
  Node(SimulatedNetwork& network, std::string name, ControlThread& process, PublicKey key)
      : network_(network), name_(std::move(name)), process_(process), key_(std::move(key)) {}

  Address listen(const std::string& endpoint, TransportEvents& events) override {
    Address address{own_endpoint(endpoint), key_};
    if (!alive_) return address;
    if (!network_.listening_.emplace(address.endpoint, this).second) {
      throw InvalidInput("can't listen on '" + endpoint + "': the address is taken");
    }
    listeners_[address.endpoint] = &events;
    return address;
  }

  void stop_listening(const Address& address) override {
    auto listener = listeners_.find(address.endpoint);
    if (listener == listeners_.end()) return;
    network_.listening_.erase(address.endpoint);
    const TransportEvents* events = listener->second;
    listeners_.erase(listener);
    std::vector<std::uint64_t> ended;
    for (const auto& [id, pipe] : network_.pipes_) {
      if (pipe->listener.events == events) ended.push_back(id);
    }
    for (std::uint64_t id : ended) network_.break_pipe(id, "closed by the peer", true, false);
  }

  ConnectionId connect(const Address& to, TransportEvents& events) override {
    const std::uint64_t id = ++network_.last_id_;
    if (!alive_) return id;
    network_.outgoing_[id] = std::make_unique<Outgoing>(Outgoing{id, this, to, &events});
    process_.at(process_.clock().now_ns() + network_.draw_delay_ns(), "connect",
                [&network = network_, id] { network.try_to_connect(id); });
    return id;
  }

  void send(ConnectionId connection, std::string bytes) override {
    if (!alive_) return;
    for (const auto& [id, pipe] : network_.pipes_) {
      for (bool to_dialer : {false, true}) {
        auto& from = to_dialer ? pipe->listener : pipe->dialer;
        auto& to = to_dialer ? pipe->dialer : pipe->listener;
        if (from.id != connection || from.node != this || !from.open) continue;
        to.under_way.push_back(std::move(bytes));
        network_.schedule(*pipe, to_dialer);
        return;
      }
    }
  }

  // Of ours: the peer gets what is under way, then sees the end. Of a peer's: nothing comes.
  void close(ConnectionId connection) override {
    auto outgoing = network_.outgoing_.find(connection);
    if (outgoing != network_.outgoing_.end() && outgoing->second->dialer == this) {
      const std::uint64_t id = outgoing->second->pipe;
      network_.outgoing_.erase(outgoing);
      auto pipe = network_.pipes_.find(id);
      if (pipe == network_.pipes_.end()) return;
      pipe->second->dialer.open = false;
      auto& listener = pipe->second->listener;
      if (!listener.node->alive_) {
        network_.pipes_.erase(pipe);
        return;
      }
      const std::int64_t end =
          std::max(process_.clock().now_ns() + network_.draw_delay_ns(), listener.last_arrival_ns);
      listener.node->process_.at(end + 1, "end of a connection", [&network = network_, id] {
        network.break_pipe(id, "closed by the peer", false, true);
      });
      return;
    }
    for (const auto& [id, pipe] : network_.pipes_) {
      if (pipe->listener.id != connection || pipe->listener.node != this) continue;
      pipe->listener.open = false;
      if (!pipe->dialer.node->alive_) network_.pipes_.erase(id);
      return;
    }
  }

  void admit(const PublicKey& key, Role as) override { admitted_.insert_or_assign(key, as); }
  bool may_be(const PublicKey& key, Role role) const override {
    const auto found = admitted_.find(key);
    return key.empty() || (found != admitted_.end() && found->second == role);
  }
  void expel(const PublicKey& key) override {
    admitted_.erase(key);
    std::vector<std::uint64_t> ended;
    for (const auto& [id, pipe] : network_.pipes_) {
      if (pipe->listener.node == this && pipe->dialer_key == key) ended.push_back(id);
    }
    for (std::uint64_t id : ended) network_.break_pipe(id, "the key is expelled", true, true);
  }

 private:
  friend class SimulatedNetwork;

  std::string own_endpoint(const std::string& endpoint) {
    const std::size_t scheme_end = endpoint.find("://");
    const std::string scheme = endpoint.substr(0, scheme_end);
    if (scheme == "ipc") return "ipc://" + name_ + endpoint.substr(scheme_end + 3);
    const std::size_t colon = endpoint.rfind(':');
    if (scheme != "tcp" || colon < scheme_end + 3) {
      throw InvalidInput("can't listen on '" + endpoint + "': write tcp://host:port or ipc://path");
    }
    std::string port = endpoint.substr(colon + 1);
    if (port == "*" || port == "0") port = std::to_string(++network_.last_port_);
    return "tcp://" + name_ + ":" + port;
  }

  SimulatedNetwork& network_;
  const std::string name_;
  ControlThread& process_;
  const PublicKey key_;
  bool alive_ = true;
  std::map<std::string, TransportEvents*> listeners_;
  std::map<PublicKey, Role> admitted_;
};

SimulatedNetwork::SimulatedNetwork(std::uint64_t seed, SimulatedThread& thread)
    : thread_(thread), random_(seed ^ 0x6e6574776f726bu) {}
SimulatedNetwork::~SimulatedNetwork() = default;

Transport& SimulatedNetwork::node(const std::string& name, ControlThread& process,
                                  const PublicKey& key) {
  auto node = std::make_unique<Node>(*this, name, process, key);
  const bool is_first = alive_.emplace(name, node.get()).second;
  assert(is_first && "crash() ends the life before");
  static_cast<void>(is_first);
  // The host is back and knows nothing of the connections of a life that ended silently.
  std::vector<std::uint64_t> ended;
  for (const auto& [id, pipe] : pipes_) {
    for (const Node* end : {pipe->dialer.node, pipe->listener.node}) {
      if (!end->alive_ && end->name_ == name) ended.push_back(id);
    }
  }
  for (std::uint64_t id : ended) break_pipe(id, "connection reset by peer", true, true);
  return *nodes_.emplace_back(std::move(node));
}

void SimulatedNetwork::crash(const std::string& name, bool silently) {
  const auto found = alive_.find(name);
  if (found == alive_.end()) return;
  Node& node = *found->second;
  alive_.erase(found);
  node.alive_ = false;
  for (const auto& [endpoint, events] : node.listeners_) listening_.erase(endpoint);
  std::erase_if(outgoing_, [&](const auto& each) { return each.second->dialer == &node; });
  std::vector<std::uint64_t> ended;
  for (const auto& [id, pipe] : pipes_) {
    if (pipe->dialer.node == &node || pipe->listener.node == &node) ended.push_back(id);
  }
  for (std::uint64_t id : ended) {
    Pipe& pipe = *pipes_.at(id);
    auto& own = pipe.dialer.node == &node ? pipe.dialer : pipe.listener;
    own.open = false;
    if (!silently) break_pipe(id, "closed by the peer", true, true);
  }
}

void SimulatedNetwork::part(const std::string& a, const std::string& b) {
  parted_.insert(std::minmax(a, b));
}

void SimulatedNetwork::heal() {
  std::vector<std::uint64_t> broken;
  for (const auto& [id, pipe] : pipes_) {
    if (parted(*pipe->dialer.node, *pipe->listener.node) && random_.one_in(2)) broken.push_back(id);
  }
  parted_.clear();
  for (std::uint64_t id : broken) break_pipe(id, "connection timed out", true, true);
  for (const auto& [id, pipe] : pipes_) {
    for (bool to_dialer : {false, true}) {
      auto& end = to_dialer ? pipe->dialer : pipe->listener;
      for (std::size_t i = 0; i < end.under_way.size(); ++i) schedule(*pipe, to_dialer);
    }
  }
}

bool SimulatedNetwork::parted(const Node& a, const Node& b) const {
  return parted_.count(std::minmax(a.name_, b.name_)) != 0;
}

bool SimulatedNetwork::break_a_connection() {
  if (pipes_.empty()) return false;
  auto chosen = pipes_.begin();
  std::advance(chosen, static_cast<std::ptrdiff_t>(random_.below(pipes_.size())));
  break_pipe(chosen->first, "connection reset by peer", true, true);
  return true;
}

std::size_t SimulatedNetwork::connections() const { return pipes_.size(); }
std::size_t SimulatedNetwork::listeners() const { return listening_.size(); }

// Mostly what a network in one room takes; at times much more, so that things overtake each other.
std::int64_t SimulatedNetwork::draw_delay_ns() {
  if (random_.one_in(40))
    return kMillisecond + static_cast<std::int64_t>(random_.below(200)) * kMillisecond;
  return 20 * kMicrosecond + static_cast<std::int64_t>(random_.below(2'000)) * kMicrosecond;
}

void SimulatedNetwork::try_to_connect(std::uint64_t id) {
  const auto found = outgoing_.find(id);
  if (found == outgoing_.end()) return;
  Outgoing& outgoing = *found->second;
  if (outgoing.pipe != 0) return;
  ControlThread& process = outgoing.dialer->process_;
  const auto listening = listening_.find(outgoing.to.endpoint);
  Node* listener = listening == listening_.end() ? nullptr : listening->second;
  const bool let_in =
      listener && !parted(*outgoing.dialer, *listener) &&
      (outgoing.to.key.empty() || outgoing.to.key == listener->key_) &&
      (outgoing.dialer->key_.empty() || listener->admitted_.count(outgoing.dialer->key_));
  if (!let_in) {
    process.at(process.clock().now_ns() + outgoing.retry_ns, "connect again",
               [this, id] { try_to_connect(id); });
    outgoing.retry_ns = std::min(outgoing.retry_ns * 2, kLastRetry);
    return;
  }
  outgoing.retry_ns = kFirstRetry;
  outgoing.pipe = ++last_id_;
  Pipe::End dialer_end{outgoing.dialer, outgoing.events, id, true, {}, 0};
  Pipe::End listener_end{
      listener, listener->listeners_.at(outgoing.to.endpoint), ++last_id_, true, {}, 0};
  pipes_[outgoing.pipe] =
      std::make_unique<Pipe>(Pipe{outgoing.pipe, std::move(dialer_end), std::move(listener_end),
                                  outgoing.dialer->key_, listener->key_});
  outgoing.events->connected(id);
}

void SimulatedNetwork::schedule(Pipe& pipe, bool to_dialer) {
  auto& end = to_dialer ? pipe.dialer : pipe.listener;
  if (!end.node->alive_) return;  // it crashed silently
  end.last_arrival_ns =
      std::max(thread_.clock().now_ns() + draw_delay_ns(), end.last_arrival_ns + 1);
  end.node->process_.at(end.last_arrival_ns, "frame",
                        [this, id = pipe.id, to_dialer] { deliver(id, to_dialer); });
}

// One call for each frame under way; the oldest is handed over.
void SimulatedNetwork::deliver(std::uint64_t id, bool to_dialer) {
  const auto found = pipes_.find(id);
  if (found == pipes_.end()) return;
  Pipe& pipe = *found->second;
  auto& end = to_dialer ? pipe.dialer : pipe.listener;
  if (parted(*pipe.dialer.node, *pipe.listener.node) || end.under_way.empty()) return;
  std::string bytes = std::move(end.under_way.front());
  end.under_way.pop_front();
  if (!end.open) return;
  ++frames_delivered_;
  end.events->frame(end.id, to_dialer ? pipe.listener_key : pipe.dialer_key, std::move(bytes));
}

void SimulatedNetwork::break_pipe(std::uint64_t id, const std::string& reason, bool tell_dialer,
                                  bool tell_listener) {
  auto found = pipes_.extract(id);
  if (found.empty()) return;
  const Pipe& pipe = *found.mapped();
  frames_lost_ += pipe.dialer.under_way.size() + pipe.listener.under_way.size();
  const std::int64_t now = thread_.clock().now_ns();
  if (tell_listener && pipe.listener.open && pipe.listener.node->alive_) {
    pipe.listener.node->process_.at(now + draw_delay_ns(), "connection broke",
                                    [events = pipe.listener.events, its_id = pipe.listener.id,
                                     reason, node = pipe.listener.node] {
                                      // The listener may have gone meanwhile.
                                      for (const auto& [endpoint, listener] : node->listeners_) {
                                        if (listener == events) {
                                          events->disconnected(its_id, reason);
                                          return;
                                        }
                                      }
                                    });
  }
  const auto outgoing = outgoing_.find(pipe.dialer.id);
  if (outgoing == outgoing_.end()) return;
  outgoing->second->pipe = 0;
  if (!tell_dialer || !pipe.dialer.node->alive_) return;
  ControlThread& process = pipe.dialer.node->process_;
  process.at(now + draw_delay_ns(), "connection broke", [this, its_id = outgoing->first, reason] {
    const auto still = outgoing_.find(its_id);
    if (still == outgoing_.end()) return;
    TransportEvents* events = still->second->events;
    ControlThread& own = still->second->dialer->process_;
    own.at(own.clock().now_ns() + kFirstRetry, "connect again",
           [this, its_id] { try_to_connect(its_id); });
    events->disconnected(its_id, reason);
  });
}

}  // namespace freshet::core
