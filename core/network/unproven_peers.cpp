#include "network/unproven_peers.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "posix/descriptor_limit.h"

namespace freshet::core {
namespace {

int most_unproven() { return std::clamp(descriptor_limit() / 4, 1, 1024); }
int reserve() { return std::clamp(descriptor_limit() / 8, 8, 1024); }

Descriptor spare_descriptor() { return Descriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

// The part of a socket's own name that it shares with the listener that it came by.
std::string door_of(int descriptor) {
  sockaddr_storage name{};
  socklen_t size = sizeof name;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size) != 0) return {};
  const auto text = [](const auto& value) {
    return std::string(reinterpret_cast<const char*>(&value), sizeof value);
  };
  switch (name.ss_family) {
    case AF_INET:
      return "4" + text(reinterpret_cast<const sockaddr_in&>(name).sin_port);
    case AF_INET6:
      return "6" + text(reinterpret_cast<const sockaddr_in6&>(name).sin6_port);
    case AF_UNIX:
      return std::string("u") + reinterpret_cast<const sockaddr_un&>(name).sun_path;
    default:
      return {};
  }
}

}  // namespace

void UnprovenPeers::listening(int listener) {
  listener_ = listener;
  // Two threads take connections, libzmq's and this one: neither may wait for one that the other
  // has taken.
  ::fcntl(listener_, F_SETFL, ::fcntl(listener_, F_GETFL) | O_NONBLOCK);
  spare_ = spare_descriptor();
}

std::optional<std::string> UnprovenPeers::accepted(int descriptor) {
  ended(descriptor);
  const std::uint64_t arrival = ++last_arrival_;
  arrivals_[descriptor] = arrival;
  by_arrival_[arrival] = descriptor;
  const int most = most_unproven();
  if (by_arrival_.size() > static_cast<std::size_t>(most)) {
    hang_up_on_oldest();
    return "it had not proved who it is when " + std::to_string(most) +
           " others, the most that may, did not either";
  }
  // The kernel gives the lowest number that is free: all below are taken.
  const int limit = descriptor_limit();
  if (descriptor < limit - reserve()) return std::nullopt;
  hang_up_on_oldest();
  return "this process may open " + std::to_string(limit) + " descriptors and keeps " +
         std::to_string(reserve()) + " of them for its own work: raise the limit (ulimit -n)";
}

std::optional<std::string> UnprovenPeers::could_not_accept(int error) {
  if (error != EMFILE && error != ENFILE) return std::nullopt;
  const bool any = hang_up_on_oldest();
  if (!turn_one_away() && !any) return std::nullopt;
  return std::string(std::strerror(error)) + ": raise the limit of descriptors (ulimit -n)";
}

bool UnprovenPeers::ended(int descriptor) {
  const auto found = arrivals_.find(descriptor);
  if (found == arrivals_.end()) return false;
  const bool hung_up = by_arrival_.erase(found->second) == 0;
  arrivals_.erase(found);
  return hung_up;
}

void UnprovenPeers::spoke(int descriptor) { ended(descriptor); }

// libzmq closes the connection when it reads its end.
bool UnprovenPeers::hang_up_on_oldest() {
  if (by_arrival_.empty()) return false;
  const int descriptor = by_arrival_.begin()->second;
  by_arrival_.erase(by_arrival_.begin());
  if (is_of_listener(descriptor)) ::shutdown(descriptor, SHUT_RDWR);
  return true;
}

// It may have ended since, and its number be another's.
bool UnprovenPeers::is_of_listener(int descriptor) const {
  const std::string door = door_of(descriptor);
  return !door.empty() && door == door_of(listener_);
}

bool UnprovenPeers::turn_one_away() {
  spare_.close();
  const int peer = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  const bool turned_away = peer >= 0;
  Descriptor(peer).close();
  spare_ = spare_descriptor();
  return turned_away;
}

}  // namespace freshet::core
