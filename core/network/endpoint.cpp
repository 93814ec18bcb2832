#include "network/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>

#include "freshet/error.h"
#include "posix/descriptor.h"

namespace freshet::core {
namespace {

constexpr std::size_t kMostIpcPath = sizeof(sockaddr_un::sun_path) - 1;

[[noreturn]] void refuse(const std::string& text, const std::string& why) {
  throw InvalidInput("the address '" + text + "' " + why);
}

}  // namespace

bool Endpoint::is_loopback() const {
  if (kind == Kind::ipc || host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool Endpoint::is_wildcard() const {
  return kind == Kind::tcp && (host == "0.0.0.0" || host == "::" || host == "*");
}

std::string Endpoint::text() const {
  if (kind == Kind::ipc) return "ipc://" + path;
  const bool is_v6 = host.find(':') != std::string::npos;
  return "tcp://" + (is_v6 ? "[" + host + "]" : host) + ":" +
         (port == 0 ? "*" : std::to_string(port));
}

Endpoint parse_endpoint(const std::string& text) {
  if (text.starts_with("ipc://")) {
    const std::string path = text.substr(6);
    if (!path.starts_with('/')) refuse(text, "is no absolute path: write ipc:///path");
    if (path.size() > kMostIpcPath) {
      refuse(text, "is " + std::to_string(path.size()) +
                       " bytes long, a socket's path has at most " + std::to_string(kMostIpcPath) +
                       ": choose a shorter folder");
    }
    if (path.find('\0') != std::string::npos) refuse(text, "holds a zero byte");
    return {Endpoint::Kind::ipc, {}, 0, path};
  }
  if (!text.starts_with("tcp://")) refuse(text, "is neither tcp://host:port nor ipc:///path");
  const std::size_t colon = text.rfind(':');
  std::string host = text.substr(6, colon < 6 ? 0 : colon - 6);
  const std::string port = colon < 6 ? "" : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.empty()) refuse(text, "names no host: write tcp://host:port");
  int number = 0;
  if (port != "*") {
    const auto end = port.data() + port.size();
    const auto parsed = std::from_chars(port.data(), end, number);
    if (parsed.ec != std::errc() || parsed.ptr != end || number < 0 || number > 65'535) {
      refuse(text, "has no port from 1 to 65535, or 0 for any that is free");
    }
  }
  return {Endpoint::Kind::tcp, host, number, {}};
}

std::string told_endpoint(const std::string& bound, const std::string& host) {
  Endpoint endpoint = parse_endpoint(bound);
  if (endpoint.kind != Endpoint::Kind::tcp || host.empty()) return bound;
  const bool in_brackets = host.starts_with('[') && host.ends_with(']');
  endpoint.host = in_brackets ? host.substr(1, host.size() - 2) : host;
  return endpoint.text();
}

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 && name[0] != '\0' ? name : "localhost";
}

std::string own_address_towards(const Endpoint& peer) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(peer.port);
  if (::getaddrinfo(peer.host.c_str(), port.c_str(), &wanted, &found) != 0) return host_name();
  std::string own;
  for (const addrinfo* each = found; each != nullptr && own.empty(); each = each->ai_next) {
    const Descriptor socket(::socket(each->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage name{};
    socklen_t size = sizeof name;
    char text[NI_MAXHOST];
    // Of a datagram socket this chooses the way to the peer, and no more.
    if (::connect(socket.get(), each->ai_addr, each->ai_addrlen) == 0 &&
        ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&name), &size) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&name), size, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0)
      own = text;
  }
  ::freeaddrinfo(found);
  // A name may lead to loopback here and to this host elsewhere.
  const bool only_here = Endpoint{Endpoint::Kind::tcp, own, 0, {}}.is_loopback();
  return own.empty() || (only_here && !peer.is_loopback()) ? host_name() : own;
}

}  // namespace freshet::core
