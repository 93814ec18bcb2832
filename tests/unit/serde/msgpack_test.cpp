#include "freshet/serde/msgpack.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "freshet/schema.h"
#include "scale.h"

namespace freshet {
namespace {

class Reading {
 public:
  Reading() = default;
  Reading(std::string sensor, std::vector<double> values)
      : sensor_(std::move(sensor)), values_(std::move(values)) {}
  bool operator==(const Reading&) const = default;
  MSGPACK_DEFINE(sensor_, values_)

 private:
  std::string sensor_;
  std::vector<double> values_;
};

struct Station {
  std::int32_t id;
  std::vector<Reading> readings;
  bool operator==(const Station&) const = default;
};

static_assert(Serializable<Reading> && Serializable<Station>);

TEST(MsgpackSerde, GivesTheValueBackAlsoInsideAnAggregate) {
  const Station station{7, {{"a", {1.5, 2.5}}, {}, {std::string(300, 's'), {}}}};
  EXPECT_EQ(from_bytes<Station>(to_bytes(station)), station);
}

TEST(MsgpackSerde, IsMarkedInTheSchema) {
  EXPECT_EQ(schema_of<Station>().text(), "{i32,list(msgpack)}");
  EXPECT_TRUE(schema_of<Station>().uses_msgpack());
}

TEST(MsgpackSerde, RefusesDamagedBytesByDecodeErrorAlone) {
  std::mt19937_64 random(41);
  const std::string good = to_bytes(Station{7, {{"a", {1.5, 2.5}}, {"bc", {3}}}});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(from_bytes<Station>(good.substr(0, size)), DecodeError);
  for (int i = testing::scaled(20'000, 500); i != 0; --i) {
    std::string bytes = good;
    for (auto n = random() % 4 + 1; n != 0; --n)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    try {
      (void)from_bytes<Station>(bytes);
    } catch (const DecodeError&) {
    }
  }
}

TEST(MsgpackSerde, RefusesALyingLengthBeforeItAsksForMemory) {
  using namespace std::string_literals;
  for (const std::string& inside : {"\xdd\xff\xff\xff\xff"s, "\x92\xdb\xff\xff\xff\xff"s,
                                    "\x92\xa1x\xdd\x7f\xff\xff\xff"s, std::string(5000, '\x91')}) {
    ByteWriter writer;
    writer.write_string(inside);
    EXPECT_THROW(from_bytes<Reading>(writer.view()), DecodeError);
  }
}

}  // namespace
}  // namespace freshet
