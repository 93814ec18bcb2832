#include "freshet/plugin/batch.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "freshet/plugin/record_type.h"

namespace freshet {
namespace {

TEST(Batch, HasRoomForOneRowHoweverLittleMemoryItIsGiven) {
  Batch batch(record_type<std::int64_t>(), 0);
  EXPECT_GE(batch.capacity(), 1u);
  struct Row {
    std::int64_t values[500];
  };
  Batch rows(record_type<Row>(), 100);
  ASSERT_EQ(rows.capacity(), 1u);
  std::memset(rows.raw_rows(), 1, sizeof(Row));
  rows.timestamp_column()[0] = 5;
  EXPECT_EQ(rows.rows<Row>()[0].values[499], 0x0101010101010101);
}

TEST(Batch, FitsRowsAndTimestampsIntoItsMemoryAndNoMoreThanAsked) {
  Batch batch(record_type<std::int64_t>(), 4096);
  EXPECT_LE(batch.capacity() * 16, 4096u);
  EXPECT_GE(batch.capacity() * 16, 4096u - 128);
  EXPECT_EQ(Batch(record_type<std::int64_t>(), 4096, 7).capacity(), 7u);
}

TEST(Batch, ClearEndsItsRows) {
  Batch batch(record_type<std::string>(), 4096);
  const std::string large(1000, 'x');
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < 5; ++i) new (batch.rows<std::string>() + i) std::string(large);
    batch.set_size(5);
    batch.clear();  // the leak sanitizer would tell
    EXPECT_TRUE(batch.empty());
  }
}

TEST(Batch, ABorrowingBatchShowsRowsThatAreNotItsOwn) {
  const std::vector<std::int64_t> rows{4, 5, 6};
  const std::vector<std::int64_t> times{40, 50, 60};
  Batch batch(record_type<std::int64_t>(), 0);
  batch.borrow(rows.data(), times.data(), 3);
  EXPECT_TRUE(batch.borrows());
  EXPECT_EQ(batch.rows<std::int64_t>(), rows.data());
  EXPECT_EQ(batch.timestamp(2), 60);
  batch.set_exclusive(true);
  EXPECT_FALSE(batch.exclusive()) << "what is borrowed is not to be changed";
  batch.clear();
  EXPECT_FALSE(batch.borrows());
  EXPECT_EQ(batch.timestamps(), nullptr);
  batch.set_exclusive(true);
  EXPECT_TRUE(batch.exclusive());
}

TEST(Batch, ItsArenaKeepsBytesOfAnySizeUntilClear) {
  Batch batch(record_type<std::string_view>(), 4096);
  std::vector<std::pair<char*, std::size_t>> pieces;
  std::size_t total = 0;
  for (const std::size_t size : {1ul, 60'000ul, 10ul, 70'000ul, 1'000'000ul, 3ul}) {
    char* at = batch.allocate(size);
    std::memset(at, static_cast<int>(size % 251), size);
    pieces.emplace_back(at, size);
    total += size;
  }
  for (const auto& [at, size] : pieces) {
    EXPECT_EQ(at[0], static_cast<char>(size % 251));
    EXPECT_EQ(at[size - 1], static_cast<char>(size % 251));
  }
  EXPECT_EQ(batch.extra_bytes(), total);
  batch.clear();
  EXPECT_EQ(batch.extra_bytes(), 0u);
}

// What one copy writes is what its Serde writes row by row, and is read back.
template <class Row>
void expect_rows_travel(const std::vector<Row>& rows) {
  const RecordType& type = record_type<Row>();
  Batch batch(type, 64 * 1024);
  ByteWriter by_row;
  for (const Row& row : rows) {
    ::new (batch.rows<Row>() + batch.size()) Row(row);
    batch.set_size(batch.size() + 1);
    Serde<Row>::write(by_row, row);
  }
  ByteWriter written;
  type.write(written, batch);
  EXPECT_EQ(written.view(), by_row.view());
  Batch again(type, 64 * 1024);
  ByteReader reader(written.view());
  type.read(reader, again, 1);
  type.read(reader, again, static_cast<std::uint32_t>(rows.size()) - 1);
  EXPECT_TRUE(reader.at_end());
  ByteWriter once_more;
  type.write(once_more, again);
  EXPECT_EQ(once_more.view(), by_row.view());
  ByteReader short_reader(written.data(), written.size() - 1);
  Batch refused(type, 64 * 1024);
  EXPECT_THROW(type.read(short_reader, refused, static_cast<std::uint32_t>(rows.size())),
               DecodeError);
}

TEST(RecordType, RowsAreWrittenAndReadInPieces) {
  struct Point {
    std::int64_t x, y;
  };
  expect_rows_travel<std::int32_t>({1, -2, 3});
  expect_rows_travel<Point>({{1, 2}, {3, 4}});
  expect_rows_travel<Keyed<std::int64_t, Point>>({{7, 1, {2, 3}}, {8, 4, {5, 6}}});
  expect_rows_travel<Keyed<std::int32_t, NoValue>>({{7, 1}, {8, 4}});
  expect_rows_travel<Keyed<std::int64_t, NoValue>>({{7, 1}, {8, 4}});
  expect_rows_travel<Keyed<std::string, std::int64_t>>({{7, "a", 1}, {8, std::string(90, 'b'), 4}});
  expect_rows_travel<std::string_view>({"", "one", "two words"});
}

}  // namespace
}  // namespace freshet
