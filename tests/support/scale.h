// How big the randomised and repeated tests are.
//
// FRESHET_TEST_SCALE divides their counts: 1 is the full size (./dev test --long), a larger number
// a smaller test. Unset means 4, as in ./dev test; the sanitizer builds use more (see
// docs/maintainers/building.md).
#pragma once

#include <algorithm>
#include <cstdlib>

namespace freshet::testing {

// The divisor, at least 1.
inline long test_scale() {
  const char* text = std::getenv("FRESHET_TEST_SCALE");
  return text == nullptr ? 4 : std::max(1L, std::atol(text));
}

// `count` divided by the scale, but at least `at_least`.
inline int scaled(int count, int at_least = 1) {
  return static_cast<int>(std::max<long>(at_least, count / test_scale()));
}

}  // namespace freshet::testing
