// Addresses as users write them: "tcp://host:port", "ipc:///absolute/path".
#pragma once

#include <string>

#include "freshet/api.h"

namespace freshet {

struct Endpoint {
  enum class Kind { tcp, ipc } kind;
  std::string host;  // of tcp; without the brackets of IPv6
  int port = 0;      // of tcp; 0: any that is free
  std::string path;  // of ipc

  bool is_loopback() const;
  std::string text() const;
};

// Throws InvalidInput that says what is wrong with it: libzmq takes a port of 99999 for 34463.
FRESHET_API Endpoint parse_endpoint(const std::string& text);

}  // namespace freshet
