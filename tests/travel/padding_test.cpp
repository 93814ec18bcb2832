// What lies in the padding of a closure is no capture of it, whatever it looks like.
#include <gtest/gtest.h>

#include <random>

#include "freshet/payload.h"
#include "scale.h"
#include "translation/capture_scan.h"

namespace freshet::testing {
using namespace core;
namespace {

// Leaves addresses that are mapped where the closures of later calls will lie.
[[gnu::noinline]] void fill_stack(std::mt19937_64& random, const std::vector<char>& heap) {
  const void* addresses[512];
  for (const void*& address : addresses) {
    address = random() % 2 ? static_cast<const void*>(&addresses)
                           : static_cast<const void*>(heap.data() + random() % heap.size());
  }
  asm volatile("" : : "r"(addresses) : "memory");
}

template <class F>
[[gnu::noinline]] bool is_reported(F function) {
  Payload payload;
  PayloadWriter writer(payload);
  detail::write_function(writer, function);
  return find_captured_pointer(payload, ProcessModules::of_this_process().mapped_memory())
      .has_value();
}

// As a program would write them: closures made on a used stack, passed by value.
template <class Make>
int reported(Make make) {
  std::mt19937_64 random(30);
  const std::vector<char> heap(1 << 20);
  int count = 0;
  for (int i = 0; i < scaled(2000, 50); ++i) {
    fill_stack(random, heap);
    count += make(random);
  }
  return count;
}

#if defined(__has_builtin)
#if __has_builtin(__builtin_clear_padding)
#define FRESHET_TEST_CLEARS_PADDING
#endif
#endif

#ifdef FRESHET_TEST_CLEARS_PADDING
TEST(Padding, BehindASmallCaptureIsNotReported) {
  EXPECT_EQ(reported([](std::mt19937_64& random) {
              const std::int64_t number = static_cast<std::int64_t>(random() % 1000);
              bool flag = random() % 2 != 0;
              return is_reported([number, flag](int v) { return v + (flag ? number : 0); });
            }),
            0);
}

TEST(Padding, BetweenCapturesIsNotReported) {
  EXPECT_EQ(reported([](std::mt19937_64& random) {
              char letter = static_cast<char>(random());
              std::int64_t number = static_cast<std::int64_t>(random() % 1000);
              short small = static_cast<short>(random());
              return is_reported([letter, number, small](int v) {
                return v + letter + static_cast<int>(number) + small;
              });
            }),
            0);
}

TEST(Padding, OfAConstCaptureIsNotReported) {
  EXPECT_EQ(reported([](std::mt19937_64& random) {
              const auto number = static_cast<std::int64_t>(random() % 1000);
              const bool flag = random() % 2 != 0;
              const auto function = [number, flag](int v) { return v + (flag ? number : 0); };
              // As the API asks, then std::tuple, after which gcc 12 doubts the former.
              static_assert(detail::travels_v<std::remove_const_t<decltype(function)>>);
              static_cast<void>(std::is_copy_assignable_v<decltype(function)>);
              return is_reported(function);
            }),
            0);
}
#endif

TEST(Padding, DoesNotHideAPointerBesideIt) {
  EXPECT_EQ(reported([](std::mt19937_64& random) {
              bool flag = random() % 2 != 0;
              int local = 0;
              return is_reported([flag, &local](int v) { return flag ? v + local : v; });
            }),
            scaled(2000, 50));
}

}  // namespace
}  // namespace freshet::testing
