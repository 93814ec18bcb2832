// SHA-256, by which files are named throughout Freshet.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "freshet/api.h"

namespace freshet::core {

struct FRESHET_API Sha256 {
  std::array<std::uint8_t, 32> bytes{};

  std::string hex() const;        // 64 lower-case digits
  std::string short_hex() const;  // the first 12, for people
  static std::optional<Sha256> from_hex(std::string_view text);
  static Sha256 of(std::string_view content);
  // Throws InvalidInput if the file can't be read.
  static Sha256 of_file(const std::filesystem::path& file);

  auto operator<=>(const Sha256&) const = default;
};

// Content that comes in pieces. After finish() it takes no more.
class FRESHET_API Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  void update(const void* bytes, std::size_t size);
  Sha256 finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace freshet::core
