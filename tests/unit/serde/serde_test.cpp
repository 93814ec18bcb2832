#include "freshet/serde.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <stdexcept>

#include "records.h"
#include "scale.h"

namespace freshet {
namespace {

using namespace testing;

template <class T>
class RoundTrip : public ::testing::Test {};

using Types =
    ::testing::Types<bool, char, std::int8_t, std::uint8_t, std::int16_t, std::uint16_t,
                     std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, float, double,
                     long double, char32_t, Color, Wide, std::string, Empty, Event, Padded, Flagged,
                     Arrays, Money, Ticket, Everything, std::tuple<>, std::array<int, 0>,
                     std::array<std::string, 3>, std::array<Event, 3>, std::pair<int, Event>,
                     std::vector<Event>, std::vector<Empty>, std::vector<std::tuple<>>,
                     std::vector<Money>, std::map<Color, std::vector<std::string>>,
                     std::optional<std::optional<int>>, std::variant<Everything, int>>;
TYPED_TEST_SUITE(RoundTrip, Types);

TYPED_TEST(RoundTrip, GivesTheValueBack) {
  static_assert(Serializable<TypeParam>);
  Random random(1);
  for (int i = scaled(800, 20); i != 0; --i) {
    const auto value = random_value<TypeParam>(random);
    const std::string bytes = to_bytes(value);
    EXPECT_GE(bytes.size(), 1u);
    const auto back = from_bytes<TypeParam>(bytes);
    ASSERT_TRUE(back == value);
    ASSERT_EQ(to_bytes(back).size(), bytes.size());
  }
}

TYPED_TEST(RoundTrip, GivesRowsBack) {
  Random random(2);
  std::vector<std::unique_ptr<TypeParam>> rows;
  for (std::size_t count : {0u, 1u, 7u}) {
    auto values = std::make_unique<TypeParam[]>(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = random_value<TypeParam>(random);
    ByteWriter writer;
    write_rows(writer, values.get(), count);
    ByteReader reader(writer.view());
    std::allocator<TypeParam> memory;
    TypeParam* back = memory.allocate(count);
    read_rows(reader, back, count);
    EXPECT_TRUE(reader.at_end());
    for (std::size_t i = 0; i < count; ++i) EXPECT_TRUE(back[i] == values[i]);
    std::destroy_n(back, count);
    memory.deallocate(back, count);
  }
}

// The format: numbers little-endian at their width, no padding, lengths as varints.
TEST(Serde, WritesTheBytesOfTheFormat) {
  using namespace std::string_literals;
  EXPECT_EQ(to_bytes(std::int32_t{0x01020304}), "\x04\x03\x02\x01"s);
  EXPECT_EQ(to_bytes(std::string("rain")), "\x04rain"s);
  EXPECT_EQ(to_bytes(std::string(300, 'x')), "\xac\x02"s + std::string(300, 'x'));
  EXPECT_EQ(to_bytes(Padded{1, 2, 0.0f, 'd'}), "\1\0\0\0\0\0\0\0\2\0\0\0\0\0d"s);
  EXPECT_EQ(to_bytes(std::optional<char>('a')), "\1a"s);
  EXPECT_EQ(to_bytes(std::optional<char>()), "\0"s);
  EXPECT_EQ(to_bytes(std::variant<int, char>('a')), "\1a"s);
  EXPECT_EQ(to_bytes(std::vector<char>{'a', 'b'}), "\2ab"s);
  EXPECT_EQ(to_bytes(std::map<char, bool>{{'a', true}}), "\1a\1"s);
  EXPECT_EQ(to_bytes(Empty{}), "\0"s);
}

TEST(Serde, WritesPackedAggregatesAsTheyLieInMemory) {
  static_assert(detail::packed_v<Event> && detail::packed_v<Event[2]> &&
                detail::packed_v<std::array<Event, 2>> && detail::packed_v<Ticket> &&
                detail::packed_v<Color>);
  static_assert(!detail::packed_v<Padded> && !detail::packed_v<Flagged> &&
                !detail::packed_v<Money> && !detail::packed_v<Empty> && !detail::packed_v<bool> &&
                !detail::packed_v<long double> && !detail::packed_v<std::array<int, 0>>);
  const Event event{1, 2, 3, 4, 5, 6};
  EXPECT_EQ(to_bytes(event), std::string_view(reinterpret_cast<const char*>(&event), 48));
}

TEST(Serde, ReadsStringViewsInTheReadersMemory) {
  const std::string bytes = to_bytes(std::pair<std::string, int>("rain", 7));
  const auto row = from_bytes<std::pair<std::string_view, int>>(bytes);
  EXPECT_EQ(row.first, "rain");
  EXPECT_EQ(row.first.data(), bytes.data() + 1);
}

TEST(Serde, RefusesToWriteAVariantWithoutAValue) {
  struct Thrower {
    operator std::map<int, int>() const { throw std::runtime_error("no"); }
  };
  std::variant<int, std::map<int, int>> value;
  EXPECT_THROW(value.emplace<1>(Thrower{}), std::runtime_error);
  ASSERT_TRUE(value.valueless_by_exception());
  EXPECT_THROW(to_bytes(value), Error);
}

TEST(ByteWriter, WritesNothingMoreAfterWhatDidNotFitUntilItIsRewound) {
  char frame[10];
  ByteWriter writer(frame, sizeof frame);
  writer.write_string("rain");
  const std::size_t mark = writer.size();
  writer.write_fixed(std::int64_t{1});
  EXPECT_TRUE(writer.overflowed());
  writer.write_fixed('x');
  EXPECT_EQ(writer.view(), "\4rain");
  writer.rewind(mark);
  EXPECT_FALSE(writer.overflowed());
  writer.write_string("melt");
  EXPECT_FALSE(writer.overflowed());
  EXPECT_EQ(writer.view(), "\4rain\4melt");
  writer.clear();
  EXPECT_EQ(writer.size(), 0u);
}

TEST(ByteWriter, TakesItsBytesAlongWhenItIsMoved) {
  ByteWriter writer;
  writer.write_string(std::string(1000, 'x'));
  ByteWriter other(std::move(writer));
  EXPECT_EQ(other.size(), 1002u);
  other = ByteWriter();
  EXPECT_EQ(other.size(), 0u);
}

TEST(ByteReader, ReadsEveryVarintThatAWriterWrites) {
  Random random(4);
  std::vector<std::uint64_t> values = {0, 1, 127, 128, 16383, 16384, UINT64_MAX};
  for (int i = 0; i < 1000; ++i) values.push_back(random() >> random() % 64);
  ByteWriter writer;
  for (std::uint64_t value : values) writer.write_varint(value);
  ByteReader reader(writer.view());
  for (std::uint64_t value : values) EXPECT_EQ(reader.read_varint("number"), value);
  EXPECT_TRUE(reader.at_end());
}

// What serde_problem says decides which message a compiler gives.
struct WithPointer {
  int x;
  int* p;
};
struct WithReference {
  int x;
  int& r;
};
struct WithView {
  int x;
  std::string_view view;
};
struct WithSpan {
  int x;
  std::span<int> span;
};
struct WithDeepPointer {
  std::vector<std::map<int, std::optional<WithPointer>>> all;
};
struct WithConst {
  const int x = 1;
  int y;
};
struct WithBase : Event {
  int more;
};
struct WithItself {
  int x;
  std::vector<WithItself> kids;
};
struct WithNoDefault {
  struct Inner {
    explicit Inner(int) {}
  };
  int x;
  Inner inner;
};
class TrivialClass {
 public:
  int x() const { return x_; }

 private:
  int x_ = 0;
};
class OtherClass {
 public:
  OtherClass() = default;
  const std::string& x() const { return x_; }

 private:
  std::string x_;
};
struct Of32 {
  char a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8;
  std::string c1, c2, c3, c4, c5, c6, c7, c8;
  int d1, d2, d3, d4, d5, d6, d7, d8;
};
struct Of33 {
  Of32 more;
  char a1, a2, a3, a4, a5, a6, a7, a8, b1, b2, b3, b4, b5, b6, b7, b8;
  int c1, c2, c3, c4, c5, c6, c7, c8, d1, d2, d3, d4, d5, d6, d7, d8;
};
struct LikeMsgpack {
  int x;
  template <class Packer>
  void msgpack_pack(Packer&) const;
};

using Problem = detail::SerdeProblem;
static_assert(detail::serde_problem<WithPointer> == Problem::kPointer);
static_assert(detail::serde_problem<WithReference> == Problem::kNoDefault);
static_assert(detail::serde_problem<WithView> == Problem::kPointer);
static_assert(detail::serde_problem<WithSpan> == Problem::kPointer);
static_assert(detail::serde_problem<WithDeepPointer> == Problem::kPointer);
static_assert(detail::serde_problem<std::tuple<int, int&>> == Problem::kPointer);
static_assert(detail::serde_problem<std::vector<std::string_view>> == Problem::kPointer);
static_assert(!Serializable<WithConst>);
static_assert(detail::serde_problem<WithBase> == Problem::kBase);
static_assert(detail::serde_problem<WithItself> == Problem::kRecursive);
static_assert(detail::serde_problem<WithNoDefault> == Problem::kNoDefault);
static_assert(detail::serde_problem<TrivialClass> == Problem::kOptIn);
static_assert(detail::serde_problem<OtherClass> == Problem::kNoSerde);
static_assert(detail::serde_problem<std::vector<OtherClass>> == Problem::kNoSerde);
static_assert(detail::serde_problem<Of32> == Problem::kNone);
static_assert(detail::serde_problem<Of33> == Problem::kTooManyFields);
static_assert(detail::serde_problem<LikeMsgpack> == Problem::kMsgpackHeader);
static_assert(!Serializable<void> && !Serializable<int&> && !Serializable<int()>);
static_assert(Serializable<std::string_view> &&
              Serializable<std::tuple<std::optional<std::string_view>, int>>);

static_assert(detail::field_count<Empty> == 0 && detail::field_count<Event> == 6 &&
              detail::field_count<Arrays> == 5 && detail::field_count<Everything> == 23 &&
              detail::field_count<Of32> == 32);

}  // namespace
}  // namespace freshet
