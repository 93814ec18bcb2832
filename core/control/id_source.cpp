#include "control/id_source.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "freshet/error.h"

namespace freshet::core {

IdSource::~IdSource() = default;
RandomIds::~RandomIds() = default;

std::string RandomIds::draw() {
  std::array<unsigned char, 16> bytes{};
  ssize_t got = -1;
  do {
    got = ::getrandom(bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(bytes.size())) {
    throw Error(std::string("the kernel gives no random numbers: ") + std::strerror(errno));
  }
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

KeyPair RandomIds::draw_keys() { return make_key_pair(); }

}  // namespace freshet::core
