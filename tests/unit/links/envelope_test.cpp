#include "links/envelope.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>
#include <new>
#include <string>
#include <vector>

#include "links/packing.h"
#include "scale.h"
#include "simulation/seeded_random.h"

namespace {
// The largest piece of memory that was asked for since the last look.
std::size_t largest_allocation = 0;
}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  if (size > largest_allocation) largest_allocation = size;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace freshet::core {
namespace {

struct Old {
  int number = 1;
  std::string text = "old";
  FRESHET_MESSAGE_FIELDS(number, text);
};
struct New {
  std::string text = "new";
  std::vector<int> more = {7};
  int number = 2;
  FRESHET_MESSAGE_FIELDS(text, more, number);
};

std::string frame_of(std::string_view body) {
  Envelope envelope;
  envelope.type = static_cast<std::uint8_t>(FrameType::kMessage);
  envelope.kind = "note";
  envelope.sequence = 7;
  return encode_frame(envelope, body);
}

std::string refusal_of(const std::string& bytes, const FrameLimits& limits = {}) {
  try {
    decode_frame(bytes, limits);
  } catch (const InvalidInput& error) {
    return error.what();
  }
  return "not refused";
}

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
  }
  return bytes;
}

TEST(Envelope, IsReadBackWithItsBody) {
  Envelope envelope;
  envelope.type = static_cast<std::uint8_t>(FrameType::kRequest);
  envelope.kind = "submit-job";
  envelope.sequence = std::numeric_limits<std::uint64_t>::max();
  envelope.acknowledgement = 5;
  envelope.request = 2;
  const std::string bytes = encode_frame(envelope, pack_body(Old{3, "three"}));
  const Frame frame = decode_frame(bytes);
  EXPECT_EQ(frame.envelope.version, kProtocolVersion);
  EXPECT_EQ(frame.envelope.kind, "submit-job");
  EXPECT_EQ(frame.envelope.sequence, envelope.sequence);
  EXPECT_EQ(frame.envelope.acknowledgement, 5u);
  EXPECT_EQ(frame.envelope.request, 2u);
  EXPECT_EQ(unpack_body<Old>("k", frame.body).text, "three");
}

// Version 1 as it goes over the wire: what the peers of a running cluster send.
TEST(Envelope, ReadsAHelloThatWasRecordedOfVersionOne) {
  const std::string recorded = from_hex(
      "87a17601a17401a16ba0a17300a16100a17200a165c2"                // {"v": 1, "t": 1, ...}
      "83a4726f6c6502a46e616d65a2746da870726f6d6973656493010203");  // a field unknown here
  const Frame frame = decode_frame(recorded);
  EXPECT_EQ(frame.envelope.version, 1);
  EXPECT_EQ(frame.envelope.type, static_cast<std::uint8_t>(FrameType::kHello));
  const auto hello = unpack_body<Hello>("hello", frame.body);
  EXPECT_EQ(hello.role, 2);
  EXPECT_EQ(hello.name, "tm");
  EXPECT_EQ(hello.attempt, 0u);
  Envelope envelope;
  envelope.type = static_cast<std::uint8_t>(FrameType::kHello);
  EXPECT_EQ(encode_frame(envelope, frame.body), recorded);
}

TEST(Envelope, SkipsUnknownFieldsAndKeepsTheDefaultsOfMissingOnes) {
  const auto newer = unpack_body<New>("k", pack_body(Old{}));
  EXPECT_EQ(newer.number, 1);
  EXPECT_EQ(newer.text, "old");
  EXPECT_EQ(newer.more, std::vector<int>{7});
  const auto older = unpack_body<Old>("k", pack_body(New{}));
  EXPECT_EQ(older.number, 2);
  EXPECT_EQ(older.text, "new");
}

TEST(Envelope, RefusesABodyOfOtherTypesNamingTheKind) {
  struct Other {
    static std::string body() {
      msgpack::sbuffer buffer;
      msgpack::packer<msgpack::sbuffer> packer(buffer);
      packer.pack_map(1);
      packer.pack(std::string("number"));
      packer.pack(std::string("not a number"));
      return {buffer.data(), buffer.size()};
    }
  };
  try {
    unpack_body<Old>("submit-job", Other::body());
    FAIL();
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("'submit-job'"), std::string::npos);
  }
}

TEST(Envelope, RefusesWhatIsNoFrame) {
  EXPECT_EQ(refusal_of(""), "a frame without envelope");
  EXPECT_EQ(refusal_of("\x80"), "a frame without body");
  EXPECT_EQ(refusal_of(std::string("\x80\x80\x80", 3)), "a frame has 1 bytes behind its body");
  EXPECT_EQ(refusal_of("\xc1\x80"), "the envelope of a frame is refused: no MessagePack");
  EXPECT_EQ(refusal_of("\x01\x01"), "a frame does not begin with an envelope");
  EXPECT_EQ(refusal_of(frame_of("\x81\xa1")), "the body of a frame is refused: cut short");
}

// Each announces far more than it holds, or is deeper than a stack.
TEST(Envelope, RefusesHugeFramesBeforeItAllocatesForThem) {
  const std::string four_billion("\xff\xff\xff\xff", 4);
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {frame_of("\xdd" + four_billion), "more than"},          // an array
      {frame_of("\xdf" + four_billion), "more than"},          // a map
      {frame_of("\xdb" + four_billion + "abc"), "cut short"},  // a string
      {frame_of("\xc6" + four_billion + "abc"), "cut short"},  // bytes
      {frame_of("\xc9" + four_billion +
                "\x01"
                "abc"),
       "cut short"},  // an extension
      {frame_of(std::string(1'000'000, '\x91') + "\xc0"), "values deep"},
      {std::string(1'000'000, '\x81'), "values deep"},
      {frame_of("\xdd" + std::string("\x00\x20\x00\x00", 4) + std::string(2'097'152, '\xc0')),
       "more than 2097152 values"},
  };
  for (const auto& [bytes, why] : hostile) {
    largest_allocation = 0;
    const std::string refusal = refusal_of(bytes);
    EXPECT_LT(largest_allocation, 10'000u) << why;
    EXPECT_NE(refusal.find(why), std::string::npos) << refusal;
  }
  FrameLimits limits;
  limits.bytes = 100;
  EXPECT_EQ(refusal_of(frame_of(std::string("\xc4\x64", 2) + std::string(100, 'x')), limits),
            "a frame of 128 bytes is above the limit of 100");
}

TEST(Envelope, CarriesErrorsByType) {
  const auto carried = [](const std::exception_ptr& error) { return error_of(error_body(error)); };
  EXPECT_THROW(std::rethrow_exception(carried(std::make_exception_ptr(InvalidInput("a")))),
               InvalidInput);
  EXPECT_THROW(std::rethrow_exception(carried(std::make_exception_ptr(std::runtime_error("a")))),
               RemoteError);
  EXPECT_THROW(std::rethrow_exception(carried(std::make_exception_ptr(7))), RemoteError);
  EXPECT_THROW(std::rethrow_exception(error_of("\xc0")), InvalidInput);
}

// Frames with some bytes changed, cut or doubled: read or refused, nothing else.
TEST(Envelope, SurvivesDamagedFrames) {
  SeededRandom random(11);
  const std::vector<std::string> good = {frame_of(pack_body(New{})), frame_of(pack_body(Hello{})),
                                         frame_of(pack_body(std::vector<Old>(20)))};
  int read = 0, refused = 0;
  for (int i = 0; i < testing::scaled(400'000); ++i) {
    std::string bytes = good[random.below(good.size())];
    for (std::uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      const std::size_t at = random.below(bytes.size());
      switch (random.below(4)) {
        case 0:
          bytes[at] = static_cast<char>(random.draw());
          break;
        case 1:
          bytes.resize(at + 1);
          break;
        case 2:
          bytes.insert(at, bytes.substr(at, random.below(20)));
          break;
        default:
          bytes.erase(at, 1 + random.below(3));
          break;
      }
      if (bytes.empty()) bytes = "\xc0";
    }
    largest_allocation = 0;
    try {
      const Frame frame = decode_frame(bytes);
      EXPECT_LT(largest_allocation, 10'000u);
      ++read;
      unpack_body<New>("k", frame.body);
      unpack_body<Hello>("k", frame.body);
    } catch (const InvalidInput&) {
      ++refused;
    }
  }
  EXPECT_GT(read, testing::scaled(20'000));
  EXPECT_GT(refused, testing::scaled(20'000));
}

}  // namespace
}  // namespace freshet::core
