// Which addresses may be asked for a file. What a name resolves to is judged, not the name.
#pragma once

#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace freshet::http {

// 16 bytes; of IPv4 the mapped form ::ffff:a.b.c.d.
using Address = std::array<std::uint8_t, 16>;

class AddressRules {
 public:
  // "169.254.0.0/16", "fe80::1". Throws InvalidInput.
  explicit AddressRules(const std::vector<std::string>& allowed);

  // Empty: it may be asked; else why not, as in "169.254.169.254 is a link-local address".
  // `sent_from_elsewhere`: another host has redirected here, so this host itself is refused too.
  std::string refusal(const sockaddr& address, bool sent_from_elsewhere) const;

  static bool is_this_host(const sockaddr& address);

 private:
  struct Network {
    Address address;
    unsigned bits;
  };
  static bool contains(const Network& network, const Address& address);
  static Network network_of(const std::string& text);

  std::vector<Network> allowed_;
};

}  // namespace freshet::http
