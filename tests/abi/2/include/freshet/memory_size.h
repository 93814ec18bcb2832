// An amount of memory in bytes. A kilobyte is 1024 bytes. In text: '32 kb', '1 mb', '4096'.
//
// An amount that would not fit 64 bits becomes the largest value instead.
#pragma once

#include <compare>
#include <cstdint>

namespace freshet {

class MemorySize {
 public:
  constexpr MemorySize() = default;
  constexpr explicit MemorySize(std::uint64_t bytes) : bytes_(bytes) {}

  static constexpr MemorySize of(std::uint64_t count, std::uint64_t unit_bytes) {
    std::uint64_t bytes = 0;
    return MemorySize(__builtin_mul_overflow(count, unit_bytes, &bytes) ? UINT64_MAX : bytes);
  }
  static constexpr MemorySize kilobytes(std::uint64_t n) { return of(n, std::uint64_t{1} << 10); }
  static constexpr MemorySize megabytes(std::uint64_t n) { return of(n, std::uint64_t{1} << 20); }
  static constexpr MemorySize gigabytes(std::uint64_t n) { return of(n, std::uint64_t{1} << 30); }

  constexpr std::uint64_t bytes() const { return bytes_; }

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes a 0 of the compiler for one here
  friend constexpr auto operator<=>(const MemorySize&, const MemorySize&) = default;

 private:
  std::uint64_t bytes_ = 0;
};

}  // namespace freshet
