#include "network/socket_monitor.h"

#include <atomic>
#include <cstring>

namespace freshet::core {

SocketMonitor::SocketMonitor(NetworkThread& network, NetworkSocket& socket,
                             detail::UniqueFunction<void()> on_events)
    : network_(network), socket_(socket) {
  static std::atomic<std::uint64_t> last_number{0};
  const std::string endpoint = "inproc://freshet.monitor." + std::to_string(++last_number);
  socket.monitor(endpoint, ZMQ_EVENT_ALL);
  events_ = &network.open(
      ZMQ_PAIR, [on_events = std::move(on_events)](NetworkSocket&) mutable { on_events(); });
  events_->connect(endpoint);
}

SocketMonitor::~SocketMonitor() {
  socket_.stop_monitor();
  network_.close(*events_);
}

// Two parts: a 16-bit event and a 32-bit value in the host's order, then the endpoint.
bool SocketMonitor::take(Event& event) {
  NetworkMessage head, endpoint;
  if (!events_->receive(head)) return false;
  while (head.more() && events_->receive(endpoint) && endpoint.more()) {
  }
  if (head.size() < sizeof(std::uint16_t) + sizeof(std::int32_t)) return false;
  std::uint16_t type;
  std::int32_t value;
  std::memcpy(&type, head.data(), sizeof type);
  std::memcpy(&value, head.data() + sizeof type, sizeof value);
  event.type = type;
  event.value = value;
  return true;
}

std::string handshake_failure(const SocketMonitor::Event& event) {
  switch (event.type) {
    case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
      return "the key is not admitted";
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
      switch (event.value) {
        case ZMQ_PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC:
        case ZMQ_PROTOCOL_ERROR_ZMTP_KEY_EXCHANGE:
          return "the keys do not fit, as between two clusters";
        case ZMQ_PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH:
          return "one side uses no CURVE keys";
        default:
          return "it does not speak as ZeroMQ does (protocol error " + std::to_string(event.value) +
                 ")";
      }
    default:
      return "the connection ended before both had proved who they are";
  }
}

}  // namespace freshet::core
