// A length of time, and its helpers: milliseconds(100), hours(1).
//
// Nanoseconds in 64 bits, about 292 years either way; what would not fit becomes the largest or
// smallest value instead, which serves as "for ever". In text: '10 s', '100 ms', '1 h'.
#pragma once

#include <compare>
#include <cstdint>

namespace freshet {

class Duration {
 public:
  constexpr Duration() = default;
  constexpr explicit Duration(std::int64_t ns) : ns_(ns) {}

  // count times the unit, which is given in nanoseconds.
  static constexpr Duration of(std::int64_t count, std::int64_t unit_ns) {
    std::int64_t ns = 0;
    if (__builtin_mul_overflow(count, unit_ns, &ns)) return count < 0 ? min() : max();
    return Duration(ns);
  }
  static constexpr Duration max() { return Duration(INT64_MAX); }
  static constexpr Duration min() { return Duration(INT64_MIN); }

  constexpr std::int64_t ns() const { return ns_; }
  constexpr std::int64_t us() const { return ns_ / 1'000; }      // towards zero
  constexpr std::int64_t ms() const { return ns_ / 1'000'000; }  // towards zero
  constexpr double seconds() const { return static_cast<double>(ns_) / 1e9; }

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes a 0 of the compiler for one here
  friend constexpr auto operator<=>(const Duration&, const Duration&) = default;
  friend constexpr Duration operator+(Duration a, Duration b) {
    std::int64_t ns = 0;
    if (__builtin_add_overflow(a.ns_, b.ns_, &ns)) return b.ns_ < 0 ? min() : max();
    return Duration(ns);
  }
  friend constexpr Duration operator-(Duration a, Duration b) {
    std::int64_t ns = 0;
    if (__builtin_sub_overflow(a.ns_, b.ns_, &ns)) return b.ns_ > 0 ? min() : max();
    return Duration(ns);
  }

 private:
  std::int64_t ns_ = 0;
};

constexpr Duration nanoseconds(std::int64_t n) { return Duration(n); }
constexpr Duration microseconds(std::int64_t n) { return Duration::of(n, 1'000); }
constexpr Duration milliseconds(std::int64_t n) { return Duration::of(n, 1'000'000); }
constexpr Duration seconds(std::int64_t n) { return Duration::of(n, 1'000'000'000); }
constexpr Duration minutes(std::int64_t n) { return Duration::of(n, 60'000'000'000); }
constexpr Duration hours(std::int64_t n) { return Duration::of(n, 3'600'000'000'000); }
constexpr Duration days(std::int64_t n) { return Duration::of(n, 86'400'000'000'000); }

}  // namespace freshet
