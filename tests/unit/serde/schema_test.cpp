#include "freshet/schema.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "records.h"

namespace freshet {
namespace testing {

struct Opaque {
  int x = 0;
};
struct OpaqueNext {
  int x = 0;
};

}  // namespace testing

template <>
struct Serde<testing::Opaque> {
  static void write(ByteWriter& writer, const testing::Opaque& value) {
    writer.write_fixed(value.x);
  }
  static testing::Opaque read(ByteReader& reader) { return {reader.read_fixed<int>("Opaque")}; }
  static void describe(SchemaBuilder& builder) { builder.opaque("Opaque", 1); }
};
template <>
struct Serde<testing::OpaqueNext> {
  static void write(ByteWriter& writer, const testing::OpaqueNext& v) { writer.write_fixed(v.x); }
  static testing::OpaqueNext read(ByteReader& reader) { return {reader.read_fixed<int>("Opaque")}; }
  static void describe(SchemaBuilder& builder) { builder.opaque("Opaque", 2); }
};

namespace {

using namespace testing;

template <class T>
std::string text() {
  return schema_of<T>().text();
}

struct Visit {
  std::string page_1;
  std::int64_t _time;
  int marks[3];
  std::vector<Color> colors;
};
template <class T>
struct Twice {
  T first_of_two;
  T second;
};

TEST(Schema, KnowsTheNamesOfFieldsBesideItsText) {
  struct Local {
    Visit visit;
    Twice<Money> twice;
  };
  const Schema& schema = schema_of<Local>();
  EXPECT_EQ(schema.text(),
            "{{string,i64,i32[3],list(enum(u8))},{Money:2{cents:i64},Money:2{cents:i64}}}");
  EXPECT_EQ(schema.text_with_names(),
            "{visit:{page_1:string,_time:i64,marks:i32[3],colors:list(enum(u8))},"
            "twice:{first_of_two:Money:2{cents:i64},second:Money:2{cents:i64}}}");
  EXPECT_EQ(schema.parts().at(0).field(), "visit");
}

TEST(Schema, ComparesTheNamesOfEqualOnes) {
  struct A {
    int x, y, z;
  };
  struct Same {
    int x, y, z;
  };
  struct Moved {
    int x, z, y;
  };
  struct PartlyMoved {
    int x, z, other;
  };
  struct Other {
    int x, y, w;
  };
  using Names = Schema::Names;
  const auto compare = [](const Schema& a, const Schema& b) {
    EXPECT_EQ(a.fingerprint(), b.fingerprint());
    EXPECT_EQ(a.compare_names(b), b.compare_names(a));
    return a.compare_names(b);
  };
  EXPECT_EQ(compare(schema_of<A>(), schema_of<Same>()), Names::kAlike);
  EXPECT_EQ(compare(schema_of<A>(), schema_of<Moved>()), Names::kOtherOrder);
  EXPECT_EQ(compare(schema_of<A>(), schema_of<PartlyMoved>()), Names::kOtherOrder);
  EXPECT_EQ(compare(schema_of<A>(), schema_of<Other>()), Names::kOthers);
  EXPECT_EQ(compare(schema_of<A>(), schema_of<std::tuple<int, int, int>>()), Names::kAlike);
  EXPECT_EQ(compare(schema_of<std::vector<Twice<A>>>(), schema_of<std::vector<Twice<Moved>>>()),
            Names::kOtherOrder);
}

TEST(Schema, IsWrittenInOneCanonicalLine) {
  EXPECT_EQ(text<std::int32_t>(), "i32");
  EXPECT_EQ(text<unsigned long long>(), "u64");
  EXPECT_EQ(text<char>(), "char");
  EXPECT_EQ(text<Color>(), "enum(u8)");
  EXPECT_EQ(text<Event>(), "{i64,i64,i64,i64,i64,i64}");
  EXPECT_EQ(text<Arrays>(),
            "{i32[3],char[5],string[2],{i64,i16,f32,char}[2],{i64,i64,i64,i64,i64,i64}[2]}");
  EXPECT_EQ(text<Money>(), "Money:2{cents:i64}");
  EXPECT_EQ(text<Ticket>(), "bytes[8]");
  EXPECT_EQ(text<Opaque>(), "opaque Opaque:1");
  EXPECT_EQ(text<std::vector<Money>>(), "list(Money:2{cents:i64})");
  using Tree = std::map<std::string, std::variant<int, std::optional<std::set<bool>>>>;
  EXPECT_EQ(text<Tree>(), "map(string,variant(i32|optional(set(bool))))");
}

TEST(Schema, IsOneForTypesThatAreWrittenAlike) {
  const auto same = []<class A, class B>(A*, B*) {
    return schema_of<A>() == schema_of<B>() &&
           schema_of<A>().fingerprint() == schema_of<B>().fingerprint();
  };
  const auto type = []<class T>(std::in_place_type_t<T>) -> T* { return nullptr; };
  EXPECT_TRUE(
      same(type(std::in_place_type<std::string>), type(std::in_place_type<std::string_view>)));
  EXPECT_TRUE(same(type(std::in_place_type<std::pair<std::int8_t, bool>>),
                   type(std::in_place_type<std::tuple<std::int8_t, bool>>)));
  EXPECT_TRUE(same(type(std::in_place_type<std::pair<bool, std::int8_t>>),
                   type(std::in_place_type<Flagged>)));
  EXPECT_TRUE(
      same(type(std::in_place_type<std::vector<int>>), type(std::in_place_type<std::deque<int>>)));
  EXPECT_TRUE(same(type(std::in_place_type<std::map<int, int>>),
                   type(std::in_place_type<std::unordered_map<int, int>>)));
  EXPECT_TRUE(same(type(std::in_place_type<std::int64_t>), type(std::in_place_type<long long>)));
}

TEST(Schema, DiffersWhereTheBytesOrTheVersionDo) {
  const std::vector<std::uint64_t> fingerprints = {
      schema_of<bool>().fingerprint(),
      schema_of<char>().fingerprint(),
      schema_of<std::int8_t>().fingerprint(),
      schema_of<std::uint8_t>().fingerprint(),
      schema_of<Color>().fingerprint(),
      schema_of<std::int32_t>().fingerprint(),
      schema_of<float>().fingerprint(),
      schema_of<std::int64_t>().fingerprint(),
      schema_of<double>().fingerprint(),
      schema_of<Ticket>().fingerprint(),
      schema_of<std::string>().fingerprint(),
      schema_of<std::vector<char>>().fingerprint(),
      schema_of<std::set<char>>().fingerprint(),
      schema_of<std::array<char, 3>>().fingerprint(),
      schema_of<std::array<char, 4>>().fingerprint(),
      schema_of<std::optional<char>>().fingerprint(),
      schema_of<std::variant<char>>().fingerprint(),
      schema_of<std::tuple<char>>().fingerprint(),
      schema_of<std::tuple<std::tuple<char>>>().fingerprint(),
      schema_of<std::tuple<int, char>>().fingerprint(),
      schema_of<std::tuple<char, int>>().fingerprint(),
      schema_of<std::tuple<std::tuple<int, char>, int>>().fingerprint(),
      schema_of<std::tuple<int, std::tuple<char, int>>>().fingerprint(),
      schema_of<std::map<int, int>>().fingerprint(),
      schema_of<std::vector<std::pair<int, int>>>().fingerprint(),
      schema_of<Money>().fingerprint(),
      schema_of<std::tuple<std::int64_t>>().fingerprint(),
      schema_of<Opaque>().fingerprint(),
      schema_of<OpaqueNext>().fingerprint(),
      schema_of<Everything>().fingerprint(),
  };
  EXPECT_EQ(std::set<std::uint64_t>(fingerprints.begin(), fingerprints.end()).size(),
            fingerprints.size());
}

// Another value here means that no savepoint written before is accepted any more.
TEST(Schema, HasTheFingerprintThatItHadInEveryReleaseBefore) {
  EXPECT_EQ(schema_of<Event>().fingerprint(), 4184116691109172257u);
  EXPECT_EQ(schema_of<Everything>().fingerprint(), 18370728247553933252u);
}

TEST(Schema, KnowsTheSizeOfWhatHasOne) {
  EXPECT_EQ(schema_of<Event>().wire_size(), 48u);
  EXPECT_EQ(schema_of<Padded>().wire_size(), 15u);
  EXPECT_EQ((schema_of<std::array<Padded, 3>>().wire_size()), 45u);
  EXPECT_EQ(schema_of<Empty>().wire_size(), 1u);
  EXPECT_EQ(schema_of<Ticket>().wire_size(), 8u);
  EXPECT_EQ(schema_of<std::string>().wire_size(), 0u);
  EXPECT_EQ((schema_of<std::pair<int, std::string>>().wire_size()), 0u);
  Random random(31);
  EXPECT_EQ(to_bytes(random_value<Padded>(random)).size(), 15u);
  EXPECT_EQ((to_bytes(random_value<std::array<Padded, 3>>(random)).size()), 45u);
}

TEST(Schema, ShowsItsParts) {
  const Schema& schema = schema_of<std::pair<Money, std::string>>();
  ASSERT_EQ(schema.kind(), Schema::Kind::kRecord);
  ASSERT_EQ(schema.parts().size(), 2u);
  EXPECT_EQ(schema.parts()[0].name(), "Money");
  EXPECT_EQ(schema.parts()[0].version(), 2u);
  EXPECT_EQ(schema.parts()[0].parts().at(0).label(), "cents");
  EXPECT_EQ(schema.parts()[1].kind(), Schema::Kind::kString);
  EXPECT_FALSE(schema.uses_msgpack());
}

}  // namespace
}  // namespace freshet
