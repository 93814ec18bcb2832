#include "exchange/data_plane.h"

#include <spdlog/spdlog.h>

#include <cassert>
#include <limits>
#include <random>

#include "freshet/error.h"
#include "network/endpoint.h"
#include "security/owner_only.h"

namespace freshet::core {

namespace {

constexpr int kMessagesAtOnce = 64;
constexpr int kEventsAtOnce = 1'024;
constexpr std::size_t kMostEarly = 100'000;
constexpr std::size_t kMostEarlyBytes = 16u << 20;

std::string_view view_of(NetworkMessage& message) { return {message.data(), message.size()}; }

std::unique_ptr<NetworkMessage> message_of(std::string_view bytes) {
  auto message = std::make_unique<NetworkMessage>();
  zmq_msg_t& raw = *message;
  zmq_msg_init_size(&raw, bytes.size());
  if (!bytes.empty()) std::memcpy(zmq_msg_data(&raw), bytes.data(), bytes.size());
  return message;
}

// The frame's memory is given back when ZeroMQ has no more use for it.
std::unique_ptr<NetworkMessage> message_of(FramePointer frame) {
  auto message = std::make_unique<NetworkMessage>();
  zmq_msg_t& raw = *message;
  FrameBuffer* buffer = frame.release();
  auto* const bytes = const_cast<char*>(buffer->writer().data());
  const std::size_t size = buffer->writer().size();
  const auto give_back = [](void*, void* sent) {
    auto* const used = static_cast<FrameBuffer*>(sent);
    used->come_back();
    FramePool::give_back(used);
  };
  buffer->hand_over();
  zmq_msg_init_data(&raw, bytes, size, give_back, buffer);
  return message;
}

std::string random_name() {
  std::random_device random;
  std::string name = "d-";
  for (int i = 0; i < 12; ++i) name += "0123456789abcdef"[random() % 16];
  return name;
}

}  // namespace

DataHandler::~DataHandler() = default;

struct DataPlane::Peer {
  NetworkSocket* socket = nullptr;  // ours; null if it connects to us
  std::unique_ptr<SocketMonitor> monitor;
  std::string routing_id;                                // once it has connected to us
  std::vector<std::unique_ptr<NetworkMessage>> waiting;  // until then
  Pieces pieces;                                         // that have come from it
  bool lost = false;
};

struct DataPlane::Incoming {
  enum class Kind : std::uint8_t { kUnknown, kWorker, kReader, kRefused };
  Kind kind = Kind::kUnknown;
  std::uint32_t worker = 0;
  ReaderId reader = 0;
  int descriptor = -1;
  bool gone = false;
};

struct DataPlane::Early {
  std::string routing_id;
  std::unique_ptr<NetworkMessage> message;
};

DataPlane::DataPlane(const Clock& clock, NetworkThread& network, KeyPair own, ZapHandler* zap)
    : network_(network), own_(std::move(own)), zap_(zap), refusals_(PeerLog::kLinesAtOnce, clock) {}

DataPlane::~DataPlane() {
  network_.call([this] { close_all(); });
}

void DataPlane::close_all() {
  handler_ = nullptr;
  for (Peer& peer : peers_) {
    peer.monitor.reset();
    if (peer.socket) network_.close(*peer.socket);
  }
  peers_.clear();
  for (const PublicKey& key : admitted_) zap_->expel(kDataDomain, key);
  listener_monitor_.reset();
  if (listener_) network_.close(*listener_);
}

// ---- listening -----------------------------------------------------------------------------

Address DataPlane::listen(bool one_host, const std::string& folder, const std::string& host) {
  std::string endpoint = told_endpoint("tcp://*:*", host);
  if (one_host) {
    endpoint = ipc_endpoint(folder, random_name());
  } else if (own_.public_key.empty() || !zap_) {
    throw InvalidInput("the data socket on '" + host +
                       "' would let in anybody: a tcp listener needs a key pair and a ZAP handler");
  }
  return network_.call([&] {
    assert(!listener_);
    NetworkSocket& socket =
        network_.open(ZMQ_ROUTER, [this](NetworkSocket&) { receive_at_listener(); });
    try {
      socket.set(ZMQ_ROUTER_MANDATORY, 1);
      set_listener_limits(socket);
      if (!one_host) let_in_admitted_keys(socket, own_, kDataDomain);
      listener_monitor_ = std::make_unique<SocketMonitor>(network_, socket,
                                                          [this] { hear_listener(kEventsAtOnce); });
      socket.bind(endpoint);
    } catch (const NetworkError& error) {
      listener_monitor_.reset();
      network_.close(socket);
      throw InvalidInput(std::string(error.what()) +
                         ": see that the folder exists, or that the address is this host's");
    }
    listener_ = &socket;
    listening_.endpoint = socket.last_endpoint();
    if (!one_host) listening_.key = own_.public_key;
    return listening_;
  });
}

void DataPlane::hear_listener(int most) {
  SocketMonitor::Event event;
  for (int i = 0; i < most && listener_monitor_->take(event); ++i) {
    arrivals_.hear(event, "the data socket " + listening_.endpoint);
    if (event.type == ZMQ_EVENT_DISCONNECTED) incoming_closed(event.value);
  }
}

void DataPlane::admit_reader(const PublicKey& key) {
  network_.post([this, key] {
    if (admitted_readers_.insert(key).second) admit(key);
  });
}

void DataPlane::admit(const PublicKey& key) {
  if (!zap_ || key.empty()) return;
  zap_->admit(kDataDomain, key);
  admitted_.push_back(key);
}

void DataPlane::receive_at_listener() {
  for (int i = 0; i < kMessagesAtOnce; ++i) {
    NetworkMessage id;
    if (!listener_->receive(id)) return;
    const std::string routing_id(view_of(id));
    if (!id.more()) continue;
    auto message = std::make_unique<NetworkMessage>();
    if (!listener_->receive(*message)) continue;
    bool more = message->more();
    if (!more) {
      take_from_listener(routing_id, std::move(message));
      continue;
    }
    while (more) {
      NetworkMessage part;
      more = listener_->receive(part) && part.more();
    }
    incoming_.try_emplace(routing_id);
    refuse(routing_id, "a message of several parts");
  }
}

void DataPlane::take_from_listener(const std::string& routing_id,
                                   std::unique_ptr<NetworkMessage> message) {
  auto found = incoming_.find(routing_id);
  if (found == incoming_.end()) {
    hear_listener(std::numeric_limits<int>::max());
    if (incoming_.size() > 4096)
      std::erase_if(incoming_, [](auto& each) { return each.second.gone; });
    found = incoming_.try_emplace(routing_id).first;
    const int descriptor = message->descriptor();
    found->second.gone = !arrivals_.first_message(descriptor);
    if (!found->second.gone) found->second.descriptor = descriptor;
  }
  if (found->second.kind == Incoming::Kind::kRefused) return;
  if (!joined_) {
    early_bytes_ += message->size();
    if (early_.size() >= kMostEarly || early_bytes_ > kMostEarlyBytes) {
      refuse(routing_id, "more messages than are kept before this worker knows its job");
      return;
    }
    early_.push_back({routing_id, std::move(message)});
    return;
  }
  try {
    take_from_incoming(routing_id, found->second, std::move(message));
  } catch (const std::exception& error) {
    refuse(routing_id, error.what());
  }
}

void DataPlane::take_from_incoming(const std::string& routing_id, Incoming& incoming,
                                   std::unique_ptr<NetworkMessage> message) {
  switch (incoming.kind) {
    case Incoming::Kind::kUnknown:
      welcome(routing_id, incoming, *message);
      if (incoming.gone) left(incoming);
      break;
    case Incoming::Kind::kWorker:
      deliver(incoming.worker, std::move(message));
      break;
    case Incoming::Kind::kReader:
      if (handler_) {
        handler_->message_of_reader(incoming.reader, kind_of(view_of(*message)), view_of(*message));
      }
      break;
    case Incoming::Kind::kRefused:
      break;
  }
}

void DataPlane::welcome(const std::string& routing_id, Incoming& incoming,
                        NetworkMessage& message) {
  const DataHello hello = read_hello(view_of(message));
  if (hello.job_id != membership_.job_id) {
    throw InvalidInput("a hello for job '" + hello.job_id.substr(0, 64) +
                       "', but this worker is of job '" + membership_.job_id + "'");
  }
  const PublicKey key = is_tcp() ? message.property("User-Id") : PublicKey();
  if (hello.role == DataHello::Role::reader) {
    if (is_tcp() && !admitted_readers_.contains(key)) {
      throw InvalidInput("a client whose key was not admitted wants to read rows");
    }
    if (!handler_) throw InvalidInput("the tasks of this worker have ended");
    incoming.kind = Incoming::Kind::kReader;
    incoming.reader = next_reader_++;
    readers_[incoming.reader] = routing_id;
    handler_->reader_joined(incoming.reader, hello);
    return;
  }
  if (hello.worker <= membership_.number || hello.worker >= peers_.size()) {
    throw InvalidInput("a hello of worker " + std::to_string(hello.worker) +
                       ", which is none of those that connect to worker " +
                       std::to_string(membership_.number) + " of " + std::to_string(peers_.size()));
  }
  Peer& peer = peers_[hello.worker];
  if (!peer.routing_id.empty() || peer.lost) {
    throw InvalidInput("a second hello of worker " + std::to_string(hello.worker));
  }
  if (is_tcp() && key != membership_.workers[hello.worker].key) {
    throw InvalidInput("a hello of worker " + std::to_string(hello.worker) +
                       " that has another key than that worker");
  }
  incoming.kind = Incoming::Kind::kWorker;
  incoming.worker = hello.worker;
  peer.routing_id = routing_id;
  for (auto& waiting : std::exchange(peer.waiting, {})) send_to(hello.worker, std::move(waiting));
}

void DataPlane::refuse(const std::string& routing_id, const std::string& reason) {
  Incoming& incoming = incoming_.at(routing_id);
  if (incoming.kind == Incoming::Kind::kRefused) return;
  refusals_.warn("data socket " + listening_.endpoint + ": a connection is refused: " + reason);
  const Incoming before = incoming;
  incoming.kind = Incoming::Kind::kRefused;
  send_back(routing_id, *message_of(refusal(reason)));
  if (before.kind == Incoming::Kind::kWorker) {
    lose(before.worker, "it sends what no worker of this job sends: " + reason);
  } else if (before.kind == Incoming::Kind::kReader) {
    readers_.erase(before.reader);
    if (handler_) handler_->reader_left(before.reader);
  }
}

void DataPlane::incoming_closed(int descriptor) {
  for (auto& [routing_id, incoming] : incoming_) {
    if (incoming.descriptor != descriptor || incoming.gone) continue;
    incoming.gone = true;
    incoming.descriptor = -1;
    left(incoming);
    return;
  }
}

void DataPlane::left(Incoming& incoming) {
  if (incoming.kind == Incoming::Kind::kWorker) {
    lose(incoming.worker, "its connection is closed");
  } else if (incoming.kind == Incoming::Kind::kReader) {
    readers_.erase(incoming.reader);
    if (handler_) handler_->reader_left(incoming.reader);
  }
}

// ---- the other workers ---------------------------------------------------------------------

void DataPlane::join(DataMembership membership, DataHandler& handler) {
  network_.call([&] {
    assert(!joined_);
    membership_ = std::move(membership);
    handler_ = &handler;
    peers_.resize(membership_.workers.size());
    for (std::size_t worker = membership_.number + 1; worker < peers_.size(); ++worker) {
      admit(membership_.workers[worker].key);
    }
    joined_ = true;
    if (!is_tcp()) connect();
    for (Early& early : std::exchange(early_, {})) {
      take_from_listener(early.routing_id, std::move(early.message));
    }
  });
}

void DataPlane::leave(const std::function<void()>& last) {
  network_.call([&] {
    if (handler_ && last) last();
    handler_ = nullptr;
  });
}

void DataPlane::everybody_has_joined() {
  network_.post([this] { connect(); });
}

void DataPlane::connect() {
  if (std::exchange(connected_, true)) return;
  for (std::uint32_t worker = 0; worker < membership_.number; ++worker) {
    try {
      connect_to(worker);
    } catch (const NetworkError& error) {
      lose(worker, error.what());
    }
  }
}

void DataPlane::connect_to(std::uint32_t worker) {
  const Address& address = membership_.workers[worker];
  Peer& peer = peers_[worker];
  NetworkSocket& socket =
      network_.open(ZMQ_DEALER, [this, worker](NetworkSocket&) { receive_from(worker); });
  peer.socket = &socket;
  set_dialer_limits(socket);
  if (!address.key.empty()) talk_to_owner_of(socket, address.key, own_);
  peer.monitor =
      std::make_unique<SocketMonitor>(network_, socket, [this, worker] { hear_peer(worker); });
  socket.connect(address.endpoint);
  DataHello hello;
  hello.job_id = membership_.job_id;
  hello.worker = membership_.number;
  const std::string bytes = to_message(hello);
  static_cast<void>(socket.send(bytes.data(), bytes.size()));
  for (auto& waiting : std::exchange(peer.waiting, {})) send_to(worker, std::move(waiting));
}

void DataPlane::hear_peer(std::uint32_t worker) {
  SocketMonitor::Event event;
  while (!peers_[worker].lost && peers_[worker].monitor->take(event)) {
    switch (event.type) {
      case ZMQ_EVENT_DISCONNECTED:
        lose(worker, "its connection is closed");
        break;
      case ZMQ_EVENT_CLOSED:
        lose(worker, "it can't be reached");
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
        lose(worker, "it refuses the key of this worker");
        break;
      case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
      case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        lose(worker, "the handshake failed: " + handshake_failure(event));
        break;
      default:
        break;
    }
  }
}

void DataPlane::receive_from(std::uint32_t worker) {
  for (int i = 0; i < kMessagesAtOnce; ++i) {
    auto message = std::make_unique<NetworkMessage>();
    if (!peers_[worker].socket->receive(*message)) return;
    take_from_worker(worker, std::move(message));
    if (peers_[worker].lost) return;
  }
}

void DataPlane::take_from_worker(std::uint32_t worker, std::unique_ptr<NetworkMessage> message) {
  std::string wrong;
  try {
    if (message->more()) throw DecodeError("a message of several parts");
    if (kind_of(view_of(*message)) == DataKind::refused) {
      lose(worker, "it refuses this worker: " + std::string(read_refusal(view_of(*message))));
      return;
    }
    deliver(worker, std::move(message));
  } catch (const std::exception& error) {
    wrong = error.what();
  }
  if (!wrong.empty()) close_worker(worker, wrong);
}

void DataPlane::deliver(std::uint32_t worker, std::unique_ptr<NetworkMessage> message) {
  DataKind kind = kind_of(view_of(*message));
  if (kind == DataKind::piece) {
    message = peers_[worker].pieces.add(view_of(*message));
    if (!message) return;
    kind = kind_of(view_of(*message));
  }
  switch (kind) {
    case DataKind::elements:
    case DataKind::credits:
    case DataKind::split_wanted:
    case DataKind::split:
      if (handler_) handler_->message_of_worker(worker, kind, std::move(message));
      return;
    default:
      throw DecodeError("a message of kind " + std::to_string(static_cast<int>(kind)) +
                        ", which no worker sends");
  }
}

void DataPlane::close_worker(std::uint32_t worker, const std::string& reason) {
  network_.post([this, worker, reason] {
    if (worker >= peers_.size() || peers_[worker].lost) return;
    if (!peers_[worker].routing_id.empty()) {
      refuse(peers_[worker].routing_id, reason);
      return;
    }
    spdlog::warn("data connection to worker {} at {} is closed: {}", worker,
                 membership_.workers[worker].endpoint, reason);
    lose(worker, "it sends what no worker of this job sends: " + reason);
  });
}

void DataPlane::lose(std::uint32_t worker, const std::string& reason) {
  Peer& peer = peers_[worker];
  if (peer.lost) return;
  peer.lost = true;
  peer.waiting.clear();
  peer.monitor.reset();
  if (peer.socket) network_.close(*std::exchange(peer.socket, nullptr));
  if (handler_) handler_->worker_lost(worker, reason);
}

// ---- sending -------------------------------------------------------------------------------

bool DataPlane::send_back(const std::string& routing_id, NetworkMessage& message) {
  return listener_->send(routing_id.data(), routing_id.size(), ZMQ_SNDMORE) == 0 &&
         listener_->send(message) == 0;
}

void DataPlane::send_to(std::uint32_t worker, std::unique_ptr<NetworkMessage> message) {
  if (worker >= peers_.size() || peers_[worker].lost) return;
  if (message->size() > kMostFrameBytes) {
    const std::string_view whole = view_of(*message);
    for (std::size_t at = 0; at < whole.size(); at += kPieceBytes) {
      send_to(worker, message_of(piece_of(whole, at)));
    }
    return;
  }
  Peer& peer = peers_[worker];
  if (peer.socket) {
    static_cast<void>(peer.socket->send(*message));  // its monitor tells if it is gone
  } else if (peer.routing_id.empty()) {
    peer.waiting.push_back(std::move(message));
  } else if (!send_back(peer.routing_id, *message)) {
    lose(worker, "its connection is closed");
  }
}

void DataPlane::send(std::uint32_t worker, FramePointer frame) {
  network_.post([this, worker, frame = std::move(frame)]() mutable {
    send_to(worker, message_of(std::move(frame)));
  });
}

void DataPlane::send(std::uint32_t worker, std::string message) {
  network_.post(
      [this, worker, message = std::move(message)] { send_to(worker, message_of(message)); });
}

void DataPlane::grant(const std::vector<CreditGrant>& grants) {
  std::map<std::uint32_t, std::vector<Credits>> by_worker;
  for (const CreditGrant& grant : grants) {
    by_worker[grant.worker].push_back({grant.channel, grant.credits});
  }
  for (const auto& [worker, credits] : by_worker) send(worker, to_message(credits));
}

void DataPlane::send_to_reader(ReaderId reader, std::string message) {
  network_.post([this, reader, message = std::move(message)] {
    const auto found = readers_.find(reader);
    if (found == readers_.end()) return;
    if (message.size() <= kMostFrameBytes) {
      send_back(found->second, *message_of(message));
      return;
    }
    for (std::size_t at = 0; at < message.size(); at += kPieceBytes) {
      send_back(found->second, *message_of(piece_of(message, at)));
    }
  });
}

}  // namespace freshet::core
