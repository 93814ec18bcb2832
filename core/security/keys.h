// CURVE key pairs: who a process is. Source: curvezmq.org; 32 bytes each, written as 40 characters
// of Z85 (rfc.zeromq.org/spec/32).
#pragma once

#include <string>

#include "freshet/api.h"

namespace freshet::core {

using PublicKey = std::string;  // Z85, 40 characters; empty: none

struct KeyPair {
  PublicKey public_key;
  std::string secret_key;  // Z85, 40 characters
};

// A new one. [any thread]
FRESHET_API KeyPair make_key_pair();
// The public half of a secret key. Throws InvalidInput unless it is 40 characters of Z85.
FRESHET_API KeyPair key_pair_of(const std::string& secret_key);

}  // namespace freshet::core
