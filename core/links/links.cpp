#include <cassert>
#include <deque>
#include <set>
#include <vector>

#include "links/link_state.h"
#include "links/packing.h"
#include "rare_paths/rare_paths.h"

namespace freshet::core {
namespace {

constexpr std::size_t kMostName = 256;
constexpr std::size_t kIncarnationSize = 32;
constexpr std::size_t kMostEndedLinks = 4096;

// A name off the wire as it may stand in a log line.
std::string for_people(std::string name) {
  if (name.size() > kMostName) name.resize(kMostName);
  for (char& c : name) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return name.empty() ? "a peer without a name" : name;
}

}  // namespace

RemoteError::~RemoteError() = default;
LinkLost::~LinkLost() = default;
Link::~Link() = default;

const char* name_of(Role role) {
  switch (role) {
    case Role::kClient:
      return "client";
    case Role::kJobManager:
      return "job manager";
    case Role::kTaskManager:
      return "task manager";
    case Role::kWorker:
      return "worker";
    case Role::kRunner:
      return "runner";
  }
  return "unknown role";
}

const MessageTable::Entry* MessageTable::find(std::string_view kind) const {
  const auto entry = handlers_.find(kind);
  return entry == handlers_.end() ? nullptr : &entry->second;
}

void MessageTable::add(const char* kind, Senders from, Handler handler) {
  const bool is_new = handlers_.emplace(kind, Entry{from, std::move(handler)}).second;
  assert(is_new && "one handler a kind");
  static_cast<void>(is_new);
}

class Links::State final : public LinkNetwork, public TransportEvents {
 public:
  State(ControlThread& thread, Transport& transport, PeerInfo self, LinkOptions options)
      : thread_(thread), transport_(transport), self_(std::move(self)), options_(options) {}

  ~State() override {
    for (const auto& listener : listeners_) transport_.stop_listening(listener->address);
    for (const auto& [number, link] : links_) link->cut_off();
  }

  Address listen(const std::string& endpoint, const MessageTable& table, LinkListener& listener) {
    auto door = std::make_unique<Door>(*this, table, listener);
    door->address = transport_.listen(endpoint, *door);
    return listeners_.emplace_back(std::move(door))->address;
  }

  Link& connect(const Address& to, const MessageTable& table, LinkListener& listener,
                std::int64_t patience_ms) {
    PeerInfo peer;
    peer.name = to.endpoint;
    peer.key = to.key;
    const ConnectionId connection = transport_.connect(to, *this);
    auto link = add_link(true, std::move(peer), table, listener);
    link->use(connection);
    by_connection_[connection] = link.get();
    if (patience_ms > 0) link->limit_opening(patience_ms);
    return *link;
  }

  ControlThread& thread() override { return thread_; }
  Transport& transport() override { return transport_; }
  const LinkOptions& options() override { return options_; }
  PeerLog& refusals() override { return refusals_; }

  void link_ended(LinkEnd& link) override {
    transport_.close(link.connection());
    by_connection_.erase(link.connection());
    if (link.dialer()) return;
    for (auto each = accepted_.begin(); each != accepted_.end(); ++each) {
      if (each->second != &link) continue;
      const auto [ended, is_new] = ended_.insert(each->first);
      if (is_new) ended_in_order_.emplace_back(thread_.clock().now_ns(), ended);
      accepted_.erase(each);
      break;
    }
    forget_ended();
  }
  void link_done(LinkEnd& link) override { links_.erase(link.number()); }

  // Of the connections that this process has made.
  void connected(ConnectionId connection) override {
    LinkEnd* link = find(connection);
    if (!link) return;
    Hello hello;
    hello.role = static_cast<std::uint8_t>(self_.role);
    hello.name = self_.name;
    hello.incarnation = self_.incarnation;
    if (link->is_open()) hello.expects = link->peer().incarnation;
    hello.link = link->number();
    hello.attempt = link->attempt() + 1;
    hello.received = link->received();
    link->set_attempt(hello.attempt);
    link->send_frame(FrameType::kHello, pack_body(hello));
  }

  void frame(ConnectionId connection, const PublicKey&, std::string bytes) override {
    LinkEnd* link = find(connection);
    if (!link) return;
    Frame frame;
    try {
      frame = decode_frame(bytes);
      if (frame.envelope.version != kProtocolVersion) {
        throw InvalidInput(other_version(frame.envelope.version, link->peer().name));
      }
      switch (static_cast<FrameType>(frame.envelope.type)) {
        case FrameType::kWelcome:
          welcomed(*link, unpack_body<Welcome>("welcome", frame.body));
          return;
        case FrameType::kRefused: {
          const auto refusal = unpack_body<Refusal>("refusal", frame.body);
          if (refusal.attempt != link->attempt()) return;
          if (refusal.replaced) link->set_replaced();
          link->lose(for_people(refusal.reason));
          return;
        }
        default:
          break;
      }
    } catch (const InvalidInput& error) {
      link->lose(error.what());
      return;
    }
    take(*link, std::move(bytes), frame);
  }

  void disconnected(ConnectionId connection, const std::string& reason) override {
    if (LinkEnd* link = find(connection)) link->connection_broke(reason);
  }

 private:
  // One listener's peers.
  class Door final : public TransportEvents {
   public:
    Door(State& state, const MessageTable& its_table, LinkListener& its_listener)
        : table(its_table), listener(its_listener), state_(state) {}
    void connected(ConnectionId) override {}
    void frame(ConnectionId connection, const PublicKey& key, std::string bytes) override {
      state_.incoming(*this, connection, key, std::move(bytes));
    }
    void disconnected(ConnectionId connection, const std::string& reason) override {
      state_.disconnected(connection, reason);
      state_.by_connection_.erase(connection);
    }

    Address address;
    const MessageTable& table;
    LinkListener& listener;

   private:
    State& state_;
  };

  std::shared_ptr<LinkEnd> add_link(bool dialer, PeerInfo peer, const MessageTable& table,
                                    LinkListener& listener) {
    auto link =
        std::make_shared<LinkEnd>(*this, ++last_link_, dialer, std::move(peer), table, listener);
    links_[last_link_] = link;
    return link;
  }

  LinkEnd* find(ConnectionId connection) {
    const auto link = by_connection_.find(connection);
    return link == by_connection_.end() ? nullptr : link->second;
  }

  std::string other_version(int version, const std::string& peer) {
    return "protocol version " + std::to_string(version) + " of " + for_people(peer) +
           " is not version " + std::to_string(kProtocolVersion) + " of " + self_.name +
           ": run the same release of Freshet on both sides";
  }

  void take(LinkEnd& link, std::string bytes, const Frame& frame) {
    if (frame.envelope.type == static_cast<std::uint8_t>(FrameType::kGoodbye)) {
      std::string reason = "without a reason";
      try {
        const auto goodbye = unpack_body<Refusal>("goodbye", frame.body);
        reason = goodbye.reason;
        if (goodbye.replaced) link.set_replaced();
        if (goodbye.left) link.set_peer_left();
      } catch (const InvalidInput&) {  // it is a goodbye all the same
      }
      link.lose("closed: " + for_people(reason));
      return;
    }
    link.take(std::move(bytes), frame);
  }

  void welcomed(LinkEnd& link, const Welcome& welcome) {
    if (welcome.attempt != link.attempt()) return;  // of a connection before this one
    if (link.is_open() && welcome.incarnation != link.peer().incarnation) {
      link.lose(link.peer().name + " has restarted");
      return;
    }
    PeerInfo peer = link.peer();
    peer.role = static_cast<Role>(welcome.role);
    peer.name = for_people(welcome.name);
    peer.incarnation = welcome.incarnation;
    link.keep_to(welcome.heartbeat_interval_ms, welcome.heartbeat_timeout_ms);
    link.established(peer, welcome.received);
  }

  void incoming(Door& door, ConnectionId connection, const PublicKey& key, std::string bytes) {
    LinkEnd* link = find(connection);
    Frame frame;
    try {
      frame = decode_frame(bytes);
      if (frame.envelope.type == static_cast<std::uint8_t>(FrameType::kHello)) {
        greeted(door, connection, key, frame);
        return;
      }
    } catch (const InvalidInput& error) {
      if (link) {
        link->lose(error.what());
      } else {
        refusals_.warn("a connection to " + door.address.endpoint + " is closed: " + error.what());
        transport_.close(connection);
      }
      return;
    }
    // Without a link: sent by a dialer that had not yet noticed that its connection was another
    // one.
    if (link) take(*link, std::move(bytes), frame);
  }

  void greeted(Door& door, ConnectionId connection, const PublicKey& key, const Frame& frame) {
    const auto hello = unpack_body<Hello>("hello", frame.body);
    if (frame.envelope.version != kProtocolVersion) {
      refuse(connection, hello, other_version(frame.envelope.version, hello.name));
      return;
    }
    if (hello.incarnation.size() != kIncarnationSize ||
        hello.role > static_cast<std::uint8_t>(Role::kRunner)) {
      refuse(connection, hello, "a hello without role and incarnation");
      return;
    }
    if (const Role role = static_cast<Role>(hello.role); !transport_.may_be(key, role)) {
      refuse(connection, hello,
             std::string("its key was not given to a ") + name_of(role) + ", as it calls itself");
      return;
    }
    if (!hello.expects.empty() && hello.expects != self_.incarnation) {
      refuse(connection, hello, self_.name + " has restarted");
      return;
    }
    const LinkId id(hello.incarnation, hello.link);
    LinkEnd* link = nullptr;
    if (const auto known = accepted_.find(id); known != accepted_.end()) {
      link = known->second;
      if (link->peer().key != key) {
        refuse(connection, hello, "the link belongs to another key");
        return;
      }
      if (hello.attempt <= link->attempt()) return;  // of a connection before the present one
    }
    PeerInfo peer{static_cast<Role>(hello.role), for_people(hello.name), hello.incarnation, key};
    if (!link && (!hello.expects.empty() || ended_.count(id))) {
      passes_rare_path(RarePath::kEndedLinkRefused);
      // What came after it was let in has its place: it need not push that out again.
      refuse(connection, hello, self_.name + " has given up the link",
             !other_lives_of(peer).empty());
      return;
    }
    if (!link) {
      lose_earlier_lives_of(peer);
      link = add_link(false, peer, door.table, door.listener).get();
      accepted_[id] = link;
    } else if (link->connection() != connection) {
      by_connection_.erase(link->connection());
      transport_.close(link->connection());
    }
    link->use(connection);
    link->set_attempt(hello.attempt);
    by_connection_[connection] = link;
    Welcome welcome{static_cast<std::uint8_t>(self_.role),
                    self_.name,
                    self_.incarnation,
                    hello.attempt,
                    link->received(),
                    options_.heartbeat_interval_ms,
                    options_.heartbeat_timeout_ms};
    link->send_frame(FrameType::kWelcome, pack_body(welcome));
    link->established(peer, hello.received);
  }

  // By then the dialer has given up, too.
  void forget_ended() {
    const std::int64_t kept_ns =
        2 * (options_.heartbeat_timeout_ms + options_.reconnect_grace_ms) * 1'000'000;
    const std::int64_t now = thread_.clock().now_ns();
    while (!ended_in_order_.empty() && (ended_in_order_.size() > kMostEndedLinks ||
                                        now - ended_in_order_.front().first > kept_ns)) {
      ended_.erase(ended_in_order_.front().second);
      ended_in_order_.pop_front();
    }
  }

  void refuse(ConnectionId connection, const Hello& hello, const std::string& reason,
              bool replaced = false) {
    refusals_.warn(for_people(hello.name) + " is refused: " + reason);
    Envelope envelope;
    envelope.type = static_cast<std::uint8_t>(FrameType::kRefused);
    transport_.send(
        connection,
        encode_frame(envelope, pack_body(Refusal{reason, hello.attempt, replaced, false})));
  }

  // Not of clients: several may share a name and the key of the cluster's record.
  std::vector<std::shared_ptr<LinkEnd>> other_lives_of(const PeerInfo& peer) const {
    std::vector<std::shared_ptr<LinkEnd>> others;
    if (peer.role == Role::kClient) return others;
    for (const auto& [id, link] : accepted_) {
      const PeerInfo& known = link->peer();
      if (known.role == peer.role && known.name == peer.name && known.key == peer.key &&
          known.incarnation != peer.incarnation) {
        others.push_back(link->shared_from_this());
      }
    }
    return others;
  }

  void lose_earlier_lives_of(const PeerInfo& peer) {
    for (const auto& link : other_lives_of(peer)) {
      passes_rare_path(RarePath::kEarlierLifeReplaced);
      link->lose(peer.name + " has restarted", true);
    }
  }

  using LinkId = std::pair<std::string, std::uint64_t>;  // the dialer's incarnation and number

  ControlThread& thread_;
  Transport& transport_;
  const PeerInfo self_;
  const LinkOptions options_;
  PeerLog refusals_{PeerLog::kLinesAtOnce, thread_.clock()};
  std::uint64_t last_link_ = 0;
  std::vector<std::unique_ptr<Door>> listeners_;
  std::map<std::uint64_t, std::shared_ptr<LinkEnd>> links_;
  std::map<ConnectionId, LinkEnd*> by_connection_;
  std::map<LinkId, LinkEnd*> accepted_;
  std::set<LinkId> ended_;  // the last ones, so that a late hello does not begin them anew
  std::deque<std::pair<std::int64_t, std::set<LinkId>::iterator>> ended_in_order_;  // when
};

Links::Links(ControlThread& thread, Transport& transport, PeerInfo self, LinkOptions options)
    : state_(std::make_unique<State>(thread, transport, std::move(self), options)) {}
Links::~Links() = default;
Address Links::listen(const std::string& endpoint, const MessageTable& table,
                      LinkListener& listener) {
  return state_->listen(endpoint, table, listener);
}
Link& Links::connect(const Address& to, const MessageTable& table, LinkListener& listener,
                     std::int64_t patience_ms) {
  return state_->connect(to, table, listener, patience_ms);
}
const LinkOptions& Links::options() const { return state_->options(); }

}  // namespace freshet::core
