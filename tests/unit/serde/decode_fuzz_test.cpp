// Whatever the bytes: a decoder gives a value or throws DecodeError, reads nothing else, and asks
// for no more memory than the bytes could stand for (the sanitizer builds watch).
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "freshet/serde.h"
#include "freshet/views.h"
#include "records.h"
#include "scale.h"

namespace freshet {
namespace {

using namespace testing;

template <class T>
class DecodeFuzz : public ::testing::Test {
 protected:
  // On a heap block of exactly this size, so that a byte too far is seen. True if it was decoded.
  static bool decode(const std::string& bytes) {
    auto block = std::make_unique<char[]>(bytes.size());
    bytes.copy(block.get(), bytes.size());
    try {
      const T value = from_bytes<T>({block.get(), bytes.size()});
      (void)to_bytes(value);
      return true;
    } catch (const DecodeError& error) {
      EXPECT_NE(std::string(error.what()).find("offset"), std::string::npos) << error.what();
      return false;
    }
  }
};

using Types = ::testing::Types<
    bool, std::int64_t, long double, std::string, std::string_view, Empty, Event, Padded, Flagged,
    Arrays, Money, Ticket, Everything, std::vector<Event>, std::vector<Empty>, std::vector<Arrays>,
    std::vector<std::vector<std::vector<std::string>>>, std::map<std::string, std::string>,
    std::unordered_map<int, Everything>, std::set<int>, std::deque<bool>, std::vector<bool>,
    std::optional<std::string>, std::variant<int, std::string, Everything>,
    std::pair<std::string_view, std::optional<std::string_view>>, std::array<std::vector<int>, 3>>;
TYPED_TEST_SUITE(DecodeFuzz, Types);

TYPED_TEST(DecodeFuzz, RandomBytes) {
  Random random(21);
  for (int i = scaled(4000, 100); i != 0; --i) {
    std::string bytes(random() % 200, '\0');
    const unsigned largest = random() % 3 == 0 ? 256 : 4;  // small ones make plausible lengths
    for (char& c : bytes) c = static_cast<char>(random() % largest);
    this->decode(bytes);
  }
}

TYPED_TEST(DecodeFuzz, TruncationsAreRefused) {
  if constexpr (!is_view_v<TypeParam>) {
    Random random(22);
    for (int i = scaled(80, 4); i != 0; --i) {
      const std::string bytes = to_bytes(random_value<TypeParam>(random));
      ASSERT_TRUE(this->decode(bytes));
      const std::size_t step = 1 + bytes.size() / 200;
      for (std::size_t size = 0; size < bytes.size(); size += step)
        ASSERT_FALSE(this->decode(bytes.substr(0, size)));
      ASSERT_FALSE(this->decode(bytes + '\0'));
    }
  }
}

TYPED_TEST(DecodeFuzz, ChangedBytes) {
  if constexpr (!is_view_v<TypeParam>) {
    Random random(23);
    for (int i = scaled(2000, 50); i != 0; --i) {
      std::string bytes = to_bytes(random_value<TypeParam>(random));
      for (auto n = random() % 4 + 1; n != 0; --n)
        bytes[random() % bytes.size()] = static_cast<char>(random() % 2 == 0 ? 0xff : random());
      this->decode(bytes);
    }
  }
}

TYPED_TEST(DecodeFuzz, LyingLengths) {
  for (std::uint64_t length : {std::uint64_t{1} << 20, std::uint64_t{1} << 32,
                               std::uint64_t{1} << 60, UINT64_MAX / 8, UINT64_MAX}) {
    for (std::size_t before = 0; before < 4; ++before) {
      ByteWriter writer;
      for (std::size_t i = 0; i < before; ++i) writer.write_fixed('\1');
      for (int i = 0; i < 40; ++i) writer.write_varint(length);
      EXPECT_TRUE(!this->decode(std::string(writer.view())) || sizeof(TypeParam) < 48);
    }
  }
}

std::string message_of(std::string_view bytes, auto decode) {
  ByteReader reader(bytes);
  try {
    decode(reader);
  } catch (const DecodeError& error) {
    return error.what();
  }
  return "decoded";
}

TEST(DecodeError, NamesWhatWasWantedWhereAndBothSizes) {
  using namespace std::string_literals;
  const auto mend =
      ": the bytes were cut or damaged, or were written with another schema than they are read with"s;
  EXPECT_EQ(message_of("abcdefghijkl",
                       [](ByteReader& reader) {
                         (void)Serde<std::int64_t>::read(reader);
                         (void)Serde<std::int64_t>::read(reader);
                       }),
            "cannot decode a i64: it takes 8 bytes at offset 8, but 4 of 12 are left" + mend);
  EXPECT_EQ(message_of("\x7f"
                       "abc"s,
                       [](ByteReader& reader) { (void)Serde<std::string>::read(reader); }),
            "cannot decode a string: its length, before offset 1, says 127 elements of at least 1 "
            "bytes, but 3 of 4 bytes are left" +
                mend);
  EXPECT_EQ(message_of("\2", [](ByteReader& reader) { (void)Serde<bool>::read(reader); }),
            "cannot decode a bool: the value before offset 1 is 2, expected 0 or 1" + mend);
  EXPECT_EQ(
      message_of("\5",
                 [](ByteReader& reader) { (void)Serde<std::variant<int, char>>::read(reader); }),
      "cannot decode a place in a variant: the value before offset 1 is 5, expected one it "
      "has" +
          mend);
  EXPECT_EQ(message_of("ab", [](ByteReader& reader) { reader.expect_end("end of the value"); }),
            "cannot decode: expected the end of the value at offset 0, but 2 of 2 bytes are left "
            "over" +
                mend);
}

TEST(DecodeError, AVarintHasOneFormAndSixtyFourBits) {
  using namespace std::string_literals;
  const auto varint = [](ByteReader& reader) { (void)reader.read_varint("number"); };
  EXPECT_EQ(message_of("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", varint), "decoded");
  for (const std::string& bytes :
       {"\x80\x00"s, "\xff"s, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s, std::string(11, '\xff'),
        ""s}) {
    EXPECT_NE(message_of(bytes, varint), "decoded");
  }
}

TEST(ReadRows, LeavesNoRowBehindWhenALaterOneCannotBeRead) {
  const std::string good = to_bytes(std::string(100, 'x'));
  const std::string bytes = good + good +
                            "\x05"
                            "ab";
  ByteReader reader(bytes);
  std::allocator<std::string> memory;
  std::string* rows = memory.allocate(3);
  EXPECT_THROW(read_rows(reader, rows, 3), DecodeError);  // a row left over would be a leak
  memory.deallocate(rows, 3);
}

TEST(ReadRows, RefusesACountThatNoMemoryHolds) {
  Event event;
  ByteReader reader(std::string_view("abc"));
  EXPECT_THROW(read_rows(reader, &event, SIZE_MAX), DecodeError);
  EXPECT_THROW(read_rows(reader, &event, SIZE_MAX / 48 + 2), DecodeError);
}

}  // namespace
}  // namespace freshet
