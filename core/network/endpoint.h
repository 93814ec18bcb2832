// Addresses as users write them: "tcp://host:port", "ipc:///absolute/path".
#pragma once

#include <string>

#include "freshet/api.h"

namespace freshet::core {

struct FRESHET_API Endpoint {
  enum class Kind { tcp, ipc } kind;
  std::string host;  // of tcp; without the brackets of IPv6
  int port = 0;      // of tcp; 0: any that is free
  std::string path;  // of ipc

  bool is_loopback() const;
  // "0.0.0.0" or "::": a listener there has all addresses of its host.
  bool is_wildcard() const;
  std::string text() const;
};

// Throws InvalidInput that says what is wrong with it: libzmq takes a port of 99999 for 34463.
FRESHET_API Endpoint parse_endpoint(const std::string& text);

// What others are told of a listener that is bound there: with that host instead, unless it is
// empty. ipc stays as it is.
FRESHET_API std::string told_endpoint(const std::string& bound, const std::string& host);
// The name of this host, "localhost" if it has none.
FRESHET_API std::string host_name();
// The address of this host by which others that the peer knows reach it: the one from which it
// reaches the peer, or its name, if that is an address that only this host knows. Asks the resolver
// for the peer's name, but sends the peer nothing.
FRESHET_API std::string own_address_towards(const Endpoint& peer);

}  // namespace freshet::core
