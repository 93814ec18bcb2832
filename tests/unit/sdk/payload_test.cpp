#include "freshet/payload.h"

#include <gtest/gtest.h>

#include <cstring>

namespace freshet {
namespace {

int twice(int v) { return 2 * v; }

struct Shape {
  int sides = 3;
  int plus(int n) const { return sides + n; }
  virtual int area(int n) const { return sides * n; }
  virtual ~Shape() = default;
};

// As a task does it: addresses put in place, then read.
template <class F>
F travel(const F& function) {
  Payload payload;
  PayloadWriter writer(payload);
  detail::write_function(writer, function);
  for (const Payload::Code& code : payload.code) {
    std::memcpy(payload.bytes.data() + code.offset, &code.address, sizeof code.address);
  }
  PayloadReader reader(payload.bytes.data(), payload.bytes.size());
  F copy = detail::read_function<F>(reader);
  reader.expect_end();
  return copy;
}

TEST(Payload, BringsFunctionObjectsOver) {
  EXPECT_EQ(travel([](int v) { return v + 1; })(1), 2);
  EXPECT_EQ(travel([n = 40, d = 2.0](int v) { return v + n + static_cast<int>(d); })(1), 43);
  EXPECT_EQ(travel(&twice)(21), 42);
}

TEST(Payload, BringsPointersToMembersOver) {
  const Shape shape;
  EXPECT_EQ((shape.*travel(&Shape::plus))(1), 4);
  EXPECT_EQ((shape.*travel(&Shape::area))(5), 15);
  EXPECT_EQ(shape.*travel(&Shape::sides), 3);
}

TEST(Payload, BringsBoundValuesOver) {
  const auto add = [](int v, int a, const std::string& s, const std::vector<int>& more, char c) {
    return v + a + static_cast<int>(s.size()) + more.at(1) + (c - 'a');
  };
  auto bound = travel(
      detail::bind(add, 10, std::string("a longer text here"), std::vector<int>{0, 100}, 'c'));
  EXPECT_EQ(bound(1), 1 + 10 + 18 + 100 + 2);
  const auto pointer = travel(detail::bind(&twice));
  EXPECT_EQ(pointer(21), 42);
}

// A closure with values that are as well keeps them in registers.
static_assert(std::is_trivially_copyable_v<detail::BindResult<int (*)(int, int, long), int, long>>);

TEST(Payload, HoldsNoAddress) {
  Payload payload;
  PayloadWriter(payload).code(reinterpret_cast<const void*>(&twice));
  EXPECT_EQ(payload.bytes, std::string(8, '\0'));
  ASSERT_EQ(payload.code.size(), 1u);
  EXPECT_EQ(payload.code[0].address, reinterpret_cast<const void*>(&twice));
}

TEST(Payload, WritesPaddingAsZeros) {
  const char first[] = {1, 'x', 3, 'x'};
  const char second[] = {1, 'y', 3, 'x'};
  Payload payload;
  PayloadWriter(payload).closure(first, second, 4);
  EXPECT_EQ(payload.bytes, std::string("\4\1\0\3x", 5));
  EXPECT_EQ(payload.closures[0].offset, 1u);
}

TEST(Payload, OfAnotherClosureIsRefusedWithBothSizes) {
  Payload payload;
  const std::uint64_t captured = 7;
  PayloadWriter(payload).closure(&captured, &captured, sizeof captured);
  PayloadReader reader(payload.bytes.data(), payload.bytes.size());
  std::uint32_t smaller = 0;
  try {
    reader.closure(&smaller, sizeof smaller);
    FAIL();
  } catch (const DecodeError& error) {
    EXPECT_STREQ(error.what(),
                 "the payload holds a closure of 8 bytes, the operator's has 4: the job was built "
                 "by another version of this module");
  }
}

TEST(Payload, CutAnywhereIsRefused) {
  Payload payload;
  PayloadWriter writer(payload);
  const std::uint64_t captured = 7;
  writer.closure(&captured, &captured, sizeof captured);
  writer.code(&payload);
  for (std::size_t size = 0; size < payload.bytes.size(); ++size) {
    PayloadReader reader(payload.bytes.data(), size);
    std::uint64_t into = 0;
    EXPECT_THROW(
        {
          reader.closure(&into, sizeof into);
          reader.code();
        },
        DecodeError)
        << size;
  }
}

TEST(Payload, WithBytesLeftIsRefused) {
  PayloadReader reader("x", 1);
  EXPECT_THROW(reader.expect_end(), DecodeError);
}

}  // namespace
}  // namespace freshet
