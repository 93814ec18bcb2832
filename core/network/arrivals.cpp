#include "network/arrivals.h"

#include <algorithm>
#include <utility>

#include "posix/descriptor_limit.h"

namespace freshet::core {
namespace {

constexpr int kHandshakeMs = 10'000;

}  // namespace

void set_listener_limits(NetworkSocket& listener) {
  listener.set(ZMQ_HANDSHAKE_IVL, kHandshakeMs);
  // All that wait there may come at once.
  listener.set(ZMQ_BACKLOG, std::clamp(descriptor_limit() / 16, 16, 1'024));
}

void set_dialer_limits(NetworkSocket& dialer) {
  // A socket is for one connection and closed at its end. Told not to connect again at all, libzmq
  // drops at that end whatever has arrived and was not read yet.
  constexpr int kLongAfterItsEndMs = 3'600'000;
  dialer.set(ZMQ_RECONNECT_IVL, kLongAfterItsEndMs);
  dialer.set(ZMQ_HANDSHAKE_IVL, kHandshakeMs);
}

void Arrivals::hear(const SocketMonitor::Event& event, const std::string& endpoint) {
  endpoint_ = endpoint;
  switch (event.type) {
    case ZMQ_EVENT_LISTENING:
      unproven_.listening(event.value);
      break;
    case ZMQ_EVENT_ACCEPTED:
      gone_.erase(event.value);
      unseen_.insert(event.value);
      if (const auto reason = unproven_.accepted(event.value)) tell_refusal(*reason);
      break;
    case ZMQ_EVENT_ACCEPT_FAILED:
      if (const auto reason = unproven_.could_not_accept(event.value)) tell_refusal(*reason);
      break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED:
      ++proved_;
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      if (failure_.empty()) failure_ = handshake_failure(event);
      break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:  // told by the ZapHandler, which knows the key
      if (not_admitted_ < unseen_.size() + silent_) ++not_admitted_;
      break;
    case ZMQ_EVENT_DISCONNECTED:
      if (!unseen_.erase(event.value)) break;
      gone_.insert(event.value);
      if (unproven_.ended(event.value)) {
        failure_.clear();  // that it failed is our doing, and is told
      } else if (failure_.empty()) {
        ++silent_;
      } else {
        tell_refusal(std::exchange(failure_, {}));
      }
      judge_silent();
      break;
    default:
      break;
  }
}

// What failed in the handshake of a connection is told by an event right before its end, or by
// none: libzmq says nothing of a peer that does not begin as ZeroMQ does. Nor does it say whose
// handshake went well or whose key was not admitted, so these are but counted. Of those that ended
// in silence, as many as the counts do not explain were none of these.
void Arrivals::judge_silent() {
  for (; silent_ > proved_ + not_admitted_; --silent_)
    tell_refusal("it does not speak as ZeroMQ does");
  if (unseen_.empty()) silent_ = proved_ = not_admitted_ = 0;
}

void Arrivals::tell_refusal(const std::string& failure) {
  refusals_.warn("a peer that connected to " + endpoint_ + " is refused: " + failure);
}

bool Arrivals::first_message(int descriptor) {
  if (gone_.count(descriptor)) return false;
  unproven_.spoke(descriptor);
  if (unseen_.erase(descriptor) && proved_ > 0) --proved_;
  judge_silent();
  return true;
}

}  // namespace freshet::core
