#include "security/keys.h"

#include <zmq.h>

#include <array>
#include <cassert>

#include "freshet/error.h"

namespace freshet::core {
namespace {

constexpr std::size_t kKeySize = 40;
using KeyText = std::array<char, kKeySize + 1>;

}  // namespace

KeyPair make_key_pair() {
  KeyText public_key, secret_key;
  if (zmq_curve_keypair(public_key.data(), secret_key.data()) != 0) {
    throw Error(
        "no keys can be made: this libzmq has been built without CURVE: install one with it");
  }
  return {public_key.data(), secret_key.data()};
}

KeyPair key_pair_of(const std::string& secret_key) {
  KeyText public_key;
  // libzmq takes any 40 characters: Z85 of a foreign alphabet or a group above 2^32 is refused
  // here.
  std::array<std::uint8_t, kKeySize> bytes;
  if (secret_key.size() != kKeySize || !zmq_z85_decode(bytes.data(), secret_key.c_str()) ||
      zmq_curve_public(public_key.data(), secret_key.c_str()) != 0) {
    throw InvalidInput("a secret key of " + std::to_string(secret_key.size()) +
                       " characters is no 40 characters of Z85: make a new key file");
  }
  return {public_key.data(), secret_key};
}

}  // namespace freshet::core
