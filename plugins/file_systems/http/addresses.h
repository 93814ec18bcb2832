// Which addresses may be asked for a file. What a name resolves to is judged, not the name.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace freshet::http {

// 16 bytes; of IPv4 the mapped form ::ffff:a.b.c.d.
using Address = std::array<std::uint8_t, 16>;

// How far away the host of an address is.
enum class Distance { kThisHost, kPrivateNetwork, kOutside };

class AddressRules {
 public:
  // "169.254.0.0/16", "fe80::1". Throws InvalidInput.
  explicit AddressRules(const std::vector<std::string>& allowed);

  // Empty: it may be asked; else why not, as in "169.254.169.254 is a link-local address".
  // `sent_from`: the farthest of the hosts whose redirects have led here. Nobody is led nearer than
  // that: from another host not to this one, from outside not into private networks.
  std::string refusal(const sockaddr& address, Distance sent_from) const;

  static Distance distance_of(const sockaddr& address);

 private:
  struct Network {
    Address address;
    unsigned bits;
  };
  static bool contains(const Network& network, const Address& address);
  static bool any_contains(std::span<const char* const> networks, const Address& address);
  static Network network_of(const std::string& text);

  std::vector<Network> allowed_;
};

}  // namespace freshet::http
