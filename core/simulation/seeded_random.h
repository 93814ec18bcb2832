// Numbers from a seed, the same with every compiler and library: splitmix64, by Sebastiano Vigna.
#pragma once

#include <cassert>
#include <cstdint>

namespace freshet::core {

class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t draw() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  // 0 <= result < bound.
  std::uint64_t below(std::uint64_t bound) {
    assert(bound > 0);
    return draw() % bound;
  }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace freshet::core
