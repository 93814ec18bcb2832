#include "freshet/plugin/byte_records.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "freshet/error.h"
#include "freshet/key_hash.h"
#include "freshet/plugin/record_type.h"
#include "operators/outputs.h"
#include "scale.h"

namespace freshet::core {
namespace {

using testing::scaled;

struct Row {
  std::string key, record;
  std::int64_t timestamp;
  bool operator==(const Row& other) const {
    return key == other.key && record == other.record && timestamp == other.timestamp;
  }
};

void PrintTo(const Row& row, std::ostream* to) {
  *to << "'" << row.key << "' '" << row.record << "' " << row.timestamp;
}

// Reads what it is given, as the next operator would.
class Reader final : public OutputEdge {
 public:
  void deliver(Batch& batch, bool) override {
    const ByteRows read(batch);
    EXPECT_GT(read.size(), 0u);
    ++batches;
    for (std::uint32_t i = 0; i < read.size(); ++i) {
      rows.push_back({read.keyed() ? std::string(read.key(i)) : "", std::string(read.record(i)),
                      read.timestamp(i)});
    }
  }
  void watermark(std::int64_t) override {}

  std::vector<Row> rows;
  int batches = 0;
};

class ByteRecords : public ::testing::Test {
 protected:
  ByteOutput writer(ByteOutput::Keys keys) {
    output_.add(reader_);
    return ByteOutput(output_, keys);
  }
  TaskOutput output_{BatchShape{4096, 0}};
  Reader reader_;
};

constexpr auto kNone = ByteOutput::Keys::kNone;
constexpr auto kKeyed = ByteOutput::Keys::kKeyed;

std::string any_bytes(std::mt19937& random) {
  std::string bytes(random() % 20 == 0 ? random() % 20'000 : random() % 12, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

TEST_F(ByteRecords, ComeOutAsTheyWereWritten) {
  for (const auto keys : {kNone, kKeyed}) {
    std::mt19937 random(5);
    TaskOutput output{BatchShape{4096, 0}};
    Reader reader;
    output.add(reader);
    ByteOutput out(output, keys);
    std::vector<Row> expected;
    for (int i = 0; i < scaled(4'000, 500); ++i) {
      // Stretches with timestamps and without.
      const std::int64_t timestamp = i / 50 % 2 != 0 ? i : kNoTimestamp;
      Row row{keys == kKeyed ? any_bytes(random) : "", any_bytes(random), timestamp};
      keys == kKeyed ? out.emit_keyed(row.key, row.record, timestamp)
                     : out.emit(row.record, timestamp);
      expected.push_back(std::move(row));
    }
    out.flush();
    EXPECT_EQ(reader.rows, expected);
  }
}

TEST_F(ByteRecords, AreHeldUntilABatchIsFullOrFlushed) {
  ByteOutput out = writer(kNone);
  out.emit("one");
  EXPECT_EQ(reader_.batches, 0);
  out.flush();
  EXPECT_EQ(reader_.batches, 1);
  out.flush();
  EXPECT_EQ(reader_.batches, 1) << "an empty batch is not sent";
  for (int i = 0; i < 10'000; ++i) out.emit("x");
  EXPECT_GT(reader_.batches, 1) << "a full batch goes by itself";
}

TEST_F(ByteRecords, OfOneBatchAllHaveATimestampOrNone) {
  ByteOutput out = writer(kNone);
  out.emit("a", 1);
  out.emit("b", 2);
  out.emit("c");
  out.flush();
  EXPECT_EQ(reader_.batches, 2);
  EXPECT_EQ(reader_.rows, (std::vector<Row>{{"", "a", 1}, {"", "b", 2}, {"", "c", kNoTimestamp}}));
}

TEST_F(ByteRecords, CarryTheHashThatSharesThemOut) {
  class HashReader final : public OutputEdge {
   public:
    void deliver(Batch& batch, bool) override {
      ASSERT_TRUE(batch.type().keyed);
      const auto* rows = batch.rows<Keyed<std::string_view, std::string_view>>();
      for (std::uint32_t i = 0; i < batch.size(); ++i) {
        EXPECT_EQ(rows[i].hash, key_hash(std::string(rows[i].key)));
      }
      seen += batch.size();
    }
    void watermark(std::int64_t) override {}
    std::uint32_t seen = 0;
  } reader;
  output_.add(reader);
  ByteOutput out(output_, kKeyed);
  for (int i = 0; i < 100; ++i) out.emit_keyed(std::to_string(i), "v");
  out.flush();
  EXPECT_EQ(reader.seen, 100u);
}

template <class T>
std::unique_ptr<Batch> batch_of(const std::vector<T>& values) {
  auto batch = std::make_unique<Batch>(record_type<T>(), 4096);
  for (std::uint32_t i = 0; i < values.size(); ++i)
    new (batch->template rows<T>() + i) T(values[i]);
  batch->set_size(static_cast<std::uint32_t>(values.size()));
  return batch;
}

TEST_F(ByteRecords, OfTheDataStreamApiAreReadToo) {
  const std::string large(1'000, 'x');
  const auto texts = batch_of<std::string>({"short", large});
  const ByteRows read(*texts);
  EXPECT_FALSE(read.keyed());
  ASSERT_EQ(read.size(), 2u);
  EXPECT_EQ(read.record(0), "short");
  EXPECT_EQ(read.record(1), large);

  using Word = Keyed<std::string, std::string>;
  const auto words = batch_of<Word>({Word{key_hash(std::string("k")), "k", large}});
  const ByteRows keyed(*words);
  EXPECT_TRUE(keyed.keyed());
  EXPECT_EQ(keyed.key(0), "k");
  EXPECT_EQ(keyed.record(0), large);
}

TEST_F(ByteRecords, RecordsThatAreNoBytesAreRefusedWithTheirSchema) {
  const auto numbers = batch_of<std::int64_t>({1, 2});
  try {
    const ByteRows read(*numbers);
    FAIL() << "taken";
  } catch (const InvalidInput& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("is given records of schema " + numbers->type().schema().text()),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("feed it " + byte_record_schema().text), std::string::npos) << text;
  }
}

TEST_F(ByteRecords, SchemasAreThoseOfTheirTypes) {
  EXPECT_EQ(byte_record_schema().fingerprint, byte_record_type().schema().fingerprint());
  EXPECT_EQ(keyed_byte_record_schema().fingerprint,
            keyed_byte_record_type().schema().fingerprint());
  EXPECT_NE(byte_record_schema().fingerprint, keyed_byte_record_schema().fingerprint);
  EXPECT_EQ(byte_record_schema().fingerprint, record_type<std::string>().schema().fingerprint());
}

}  // namespace
}  // namespace freshet::core
