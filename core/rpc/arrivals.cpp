#include "rpc/arrivals.h"

#include <utility>

namespace freshet {
namespace {

constexpr int kHandshakeMs = 10'000;
constexpr int kBacklog = 1'024;

}  // namespace

void set_listener_limits(NetworkSocket& listener) {
  listener.set(ZMQ_HANDSHAKE_IVL, kHandshakeMs);
  listener.set(ZMQ_BACKLOG, kBacklog);
}

void set_dialer_limits(NetworkSocket& dialer) { dialer.set(ZMQ_HANDSHAKE_IVL, kHandshakeMs); }

void Arrivals::hear(const SocketMonitor::Event& event, const std::string& endpoint) {
  switch (event.type) {
    case ZMQ_EVENT_ACCEPTED:
      gone_.erase(event.value);
      unseen_.insert(event.value);
      break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      ++proved_;
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      if (failure_.empty()) failure_ = handshake_failure(event);
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:  // told by the ZapHandler, which knows the key
      if (not_admitted_ < unseen_.size()) ++not_admitted_;
      break;
    case ZMQ_EVENT_DISCONNECTED:
      if (unseen_.erase(event.value)) {
        gone_.insert(event.value);
        tell_refusal(endpoint);
      }
      break;
    default:
      break;
  }
}

// Of a connection that ends before its first message. What failed in its handshake is told by an
// event right before, or by none: libzmq says nothing of a peer that does not begin as ZeroMQ does.
// Nor does it say whose handshake went well or whose key was not admitted, so these are but
// counted.
void Arrivals::tell_refusal(const std::string& endpoint) {
  std::string failure = std::exchange(failure_, {});
  if (failure.empty()) {
    for (std::size_t* others : {&not_admitted_, &proved_}) {
      if (*others == 0) continue;
      --*others;
      return;
    }
    failure = "it does not speak as ZeroMQ does";
  }
  refusals_.tell("a peer that connected to " + endpoint + " is refused: " + failure);
}

bool Arrivals::first_message(int descriptor) {
  if (gone_.count(descriptor)) return false;
  if (unseen_.erase(descriptor) && proved_ > 0) --proved_;
  return true;
}

}  // namespace freshet
