#include "security/sha256.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <vector>

#include "freshet/error.h"

namespace freshet::core {

struct Sha256Stream::State {
  EVP_MD_CTX* context;
};

Sha256Stream::Sha256Stream() : state_(new State{nullptr}) {
  // openssl.cnf is not needed for a digest, and reading it takes longer than hashing a module.
  static const bool ready = OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1;
  state_->context = EVP_MD_CTX_new();
  if (!ready || state_->context == nullptr ||
      EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr) != 1) {
    EVP_MD_CTX_free(state_->context);
    throw Error("libcrypto can't compute SHA-256: check that its default provider is installed");
  }
}

Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(state_->context); }

void Sha256Stream::update(const void* bytes, std::size_t size) {
  [[maybe_unused]] const int done = EVP_DigestUpdate(state_->context, bytes, size);
  assert(done == 1);
}

Sha256 Sha256Stream::finish() {
  Sha256 digest;
  unsigned int size = 0;
  [[maybe_unused]] const int done = EVP_DigestFinal_ex(state_->context, digest.bytes.data(), &size);
  assert(done == 1 && size == digest.bytes.size());
  return digest;
}

std::string Sha256::hex() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string Sha256::short_hex() const { return hex().substr(0, 12); }

std::optional<Sha256> Sha256::from_hex(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  Sha256 sha;
  if (text.size() != 2 * sha.bytes.size()) return std::nullopt;
  for (std::size_t i = 0; i < sha.bytes.size(); ++i) {
    const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    sha.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return sha;
}

Sha256 Sha256::of(std::string_view content) {
  Sha256Stream stream;
  stream.update(content.data(), content.size());
  return stream.finish();
}

Sha256 Sha256::of_file(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0)
    throw InvalidInput(path.native() + ": can't be opened to be hashed: " + std::strerror(errno) +
                       ": make it readable for this user");
  Sha256Stream stream;
  std::vector<char> buffer(std::size_t{256} * 1024);
  ssize_t got = 0;
  while ((got = ::read(file, buffer.data(), buffer.size())) > 0 || (got < 0 && errno == EINTR))
    if (got > 0) stream.update(buffer.data(), static_cast<std::size_t>(got));
  const int error = errno;
  ::close(file);
  if (got < 0)
    throw InvalidInput(path.native() + ": can't be read to be hashed: " + std::strerror(error));
  return stream.finish();
}

}  // namespace freshet::core
