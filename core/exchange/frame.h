// A frame: elements of one channel on their way to another worker, as bytes.
//
// Format     Little-endian, unaligned:
//              u8 kind (DataKind::elements), u8[3] zero, u32 channel, then elements to the end.
//            An element: u8 Element::Kind, then
//              batch       u8 with timestamps, u32 rows, u64 fingerprint of the rows' schema,
//                          i64 each timestamp, rows as RecordType::write() writes them
//              watermark, barrier   i64 value
//            Channels are numbered alike in all workers of a job.
// Begin      FrameBuffer is what a frame is written into; FrameReader reads one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "exchange/channel.h"
#include "freshet/api.h"
#include "freshet/serde/bytes.h"

namespace freshet::core {

class FramePool;

// Memory that a frame is written into, used again when the frame has been sent.
class FRESHET_API FrameBuffer {
 public:
  ByteWriter& writer() noexcept { return writer_; }
  const ByteWriter& writer() const noexcept { return writer_; }
  // Around the way through libzmq, whose own order the thread sanitizer can't see.
  void hand_over() noexcept { handed_over_.store(true, std::memory_order_release); }
  void come_back() noexcept { static_cast<void>(handed_over_.load(std::memory_order_acquire)); }

 private:
  friend class FramePool;
  ByteWriter writer_;
  std::shared_ptr<FramePool> home_;  // while it is out
  std::atomic<bool> handed_over_{false};
};

// Any thread. Buffers hold the pool while they are out, so they may outlive everybody else.
class FRESHET_API FramePool : public std::enable_shared_from_this<FramePool> {
 public:
  // Keeps up to so many.
  explicit FramePool(std::size_t most_kept) : most_kept_(most_kept) {}
  ~FramePool();
  FramePool(const FramePool&) = delete;
  FramePool& operator=(const FramePool&) = delete;

  FrameBuffer* take();
  static void give_back(FrameBuffer* buffer) noexcept;

 private:
  const std::size_t most_kept_;
  std::mutex mutex_;
  std::vector<FrameBuffer*> kept_;
};

struct FrameReturner {
  void operator()(FrameBuffer* buffer) const noexcept { FramePool::give_back(buffer); }
};
using FramePointer = std::unique_ptr<FrameBuffer, FrameReturner>;

// The first byte of every message between workers.
enum class DataKind : std::uint8_t {
  hello = 1,
  refused,
  elements,
  credits,
  split_wanted,
  split,
  rows,
  rows_end,
  rows_credit,
  rows_done,
  piece,
};

inline constexpr std::size_t kFrameHeaderBytes = 8;
// A frame that has as much is sent, however much more is there.
inline constexpr std::size_t kFullFrameBytes = 32 * 1024;

FRESHET_API void write_frame_header(ByteWriter& to, std::uint32_t channel);
FRESHET_API void write_element(ByteWriter& to, const Element& element);

// The next element of a frame that somebody else has written: everything is checked. The bytes
// outlive the reader.
class FRESHET_API FrameReader {
 public:
  FrameReader() : reader_(nullptr, nullptr) {}
  FrameReader(const char* bytes, std::size_t size);

  bool at_end() const { return rows_left_ == 0 && reader_.at_end(); }
  // Reads the head of the next element, unless it stands in the rows of a batch. Throws
  // DecodeError.
  Element::Kind look();
  // A batch: the rows that are left of it.
  std::uint32_t rows_left() const { return rows_left_; }
  // Up to `to.capacity()` of them. Throws DecodeError, and what the record's Serde throws.
  void read_rows(Batch& to);
  // Anything else; goes on to the next.
  Element take();

 private:
  ByteReader reader_;
  bool looked_ = false;
  Element::Kind kind_ = Element::Kind::idle;
  std::int64_t value_ = 0;
  std::uint32_t rows_left_ = 0;
  std::uint64_t fingerprint_ = 0;
  const char* timestamps_ = nullptr;
};

}  // namespace freshet::core
