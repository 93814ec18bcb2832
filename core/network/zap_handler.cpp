#include "network/zap_handler.h"

#include <array>
#include <vector>

namespace freshet::core {
namespace {

constexpr const char* kEndpoint = "inproc://zeromq.zap.01";
constexpr std::size_t kRawKeySize = 32;
// Version, request id, domain, address, routing id, mechanism; then the mechanism's credentials.
constexpr std::size_t kFixedParts = 6;
constexpr std::size_t kMostParts = 16;

}  // namespace

ZapHandler::ZapHandler(const Clock& clock, NetworkThread& network)
    : network_(network), refusals_(PeerLog::kLinesAtOnce, clock) {
  network_.call([this] {
    socket_ = &network_.open(ZMQ_REP, [this](NetworkSocket& socket) { answer(socket); });
    try {
      socket_->bind(kEndpoint);
    } catch (...) {
      network_.close(*socket_);
      throw;
    }
  });
}

ZapHandler::~ZapHandler() {
  network_.call([this] { network_.close(*socket_); });
}

void ZapHandler::admit(const std::string& domain, const PublicKey& key) {
  std::lock_guard lock(mutex_);
  ++admitted_[{domain, key}];
}

void ZapHandler::expel(const std::string& domain, const PublicKey& key) {
  std::lock_guard lock(mutex_);
  const auto admitted = admitted_.find({domain, key});
  if (admitted != admitted_.end() && --admitted->second == 0) admitted_.erase(admitted);
}

bool ZapHandler::admits(const std::string& domain, const PublicKey& key) const {
  std::lock_guard lock(mutex_);
  return admitted_.count({domain, key}) != 0;
}

// libzmq itself asks, never a peer; yet nothing is taken for granted.
void ZapHandler::answer(NetworkSocket& socket) {
  std::vector<std::string> parts;
  bool more = true;
  while (more) {
    NetworkMessage part;
    if (!socket.receive(part)) return;
    more = part.more();
    if (parts.size() < kMostParts) parts.emplace_back(part.data(), part.size());
  }
  if (parts.size() < kFixedParts) parts.resize(kFixedParts);
  const std::string& domain = parts[2];
  const std::string& address = parts[3];
  const std::string& mechanism = parts[5];
  PublicKey key;
  if (mechanism == "CURVE" && parts.size() == kFixedParts + 1 &&
      parts.back().size() == kRawKeySize) {
    std::array<char, 41> text;
    if (zmq_z85_encode(text.data(), reinterpret_cast<const std::uint8_t*>(parts.back().data()),
                       kRawKeySize)) {
      key = text.data();
    }
  }
  const bool admitted = !key.empty() && admits(domain, key);
  if (!admitted) {
    refusals_.warn("a peer at " + address + " with the key '" + key + "' (" + mechanism +
                   ") is refused: it is not admitted to the " + domain + " plane of this process");
  }
  const std::array<std::string, 6> reply{"1.0",
                                         parts[1],
                                         admitted ? "200" : "400",
                                         admitted ? "OK" : "this key is not admitted",
                                         admitted ? key : "",
                                         ""};
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const int flags = i + 1 < reply.size() ? ZMQ_SNDMORE : 0;
    if (socket.send(reply[i].data(), reply[i].size(), flags) != 0) return;  // who asked has gone
  }
}

void let_in_admitted_keys(NetworkSocket& listener, const KeyPair& own, const char* domain) {
  listener.set(ZMQ_CURVE_SERVER, 1);
  listener.set(ZMQ_CURVE_SECRETKEY, own.secret_key);
  listener.set(ZMQ_ZAP_DOMAIN, domain);
}

void talk_to_owner_of(NetworkSocket& dialer, const PublicKey& server, const KeyPair& own) {
  dialer.set(ZMQ_CURVE_SERVERKEY, server);
  dialer.set(ZMQ_CURVE_PUBLICKEY, own.public_key);
  dialer.set(ZMQ_CURVE_SECRETKEY, own.secret_key);
}

}  // namespace freshet::core
