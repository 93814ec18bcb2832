// A batch of records of one type: what travels between operators.
//
// A batch holds up to capacity() rows side by side, optionally a column of timestamps (milliseconds
// since the epoch), and an arena for the bytes that views among the rows point into. It either owns
// its rows or borrows them from memory that outlives the batch's release.
//
// Threads    One owner at a time: the task that fills it, then the task that reads it.
// Ownership  Made by a channel or an Output, which also takes it back.
//            clear() ends the rows' lives.
//            A view taken from a row is valid until the batch is released.
#pragma once

#include <cstddef>
#include <cstdint>

#include "freshet/api.h"

namespace freshet {

struct RecordType;

// "No timestamp": smaller than every event time.
inline constexpr std::int64_t kNoTimestamp = INT64_MIN;
// The watermark that ends event time; every end of input implies it.
inline constexpr std::int64_t kMaxWatermark = INT64_MAX;

// The watermark of a stream whose records come up to `distance` ms (0 or more) behind `highest`:
// "nothing at or before this time is still to come". kNoTimestamp where there is no earlier time.
constexpr std::int64_t watermark_behind(std::int64_t highest, std::int64_t distance) {
  std::int64_t earliest = 0;
  if (__builtin_sub_overflow(highest, distance, &earliest)) return kNoTimestamp;
  return earliest == kNoTimestamp ? kNoTimestamp : earliest - 1;
}

class FRESHET_API Batch {
 public:
  // `memory_size` is what rows and timestamps may take together; a batch always has room for one
  // row at least. max_rows of 0 means: as many as fit.
  Batch(const RecordType& type, std::size_t memory_size, std::uint32_t max_rows = 0);
  ~Batch();
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  const RecordType& type() const { return *type_; }
  std::uint32_t size() const { return size_; }
  std::uint32_t capacity() const { return capacity_; }
  bool empty() const { return size_ == 0; }

  template <class T>
  T* rows() {
    return static_cast<T*>(rows_);
  }
  template <class T>
  const T* rows() const {
    return static_cast<const T*>(rows_);
  }
  void* raw_rows() { return rows_; }
  const void* raw_rows() const { return rows_; }

  // Null if the rows carry no timestamps.
  const std::int64_t* timestamps() const { return has_timestamps_ ? timestamps_ : nullptr; }
  std::int64_t timestamp(std::uint32_t row) const {
    return has_timestamps_ ? timestamps_[row] : kNoTimestamp;
  }
  // Where the writer puts timestamps; they count only after set_has_timestamps(true).
  std::int64_t* timestamp_column() { return timestamps_; }
  void set_has_timestamps(bool yes) { has_timestamps_ = yes; }

  // The first `size` rows have been constructed in place by the writer.
  void set_size(std::uint32_t size) { size_ = size; }

  // Lets the batch show `size` rows that somebody else owns and does not change or free before
  // clear(). Timestamps may be null.
  void borrow(const void* rows, const std::int64_t* timestamps, std::uint32_t size);
  bool borrows() const { return rows_ != memory_; }

  // Set by the runtime for one call of process(): nobody else reads these rows, so the operator may
  // change them, take what they own, or drop the last ones, and hand the batch itself on.
  bool exclusive() const { return exclusive_; }
  void set_exclusive(bool yes) { exclusive_ = yes && !borrows(); }

  // Bytes for views among the rows; valid until clear(). Never fails short of memory.
  char* allocate(std::size_t bytes) {
    if (bytes > static_cast<std::size_t>(arena_end_ - arena_at_)) return allocate_chunk(bytes);
    char* at = arena_at_;
    arena_at_ += bytes;
    arena_used_ += bytes;
    return at;
  }
  // Bytes beyond the rows themselves: arena and what rows own on the heap, as counted by the
  // writer.
  std::size_t extra_bytes() const { return arena_used_; }
  void count_heap_bytes(std::size_t bytes) { arena_used_ += bytes; }
  // It has more extra bytes than its limit: it is sent on, full or not.
  bool is_heavy() const { return arena_used_ > extra_limit_; }
  static constexpr std::size_t kExtraLimit = 256 * 1024;
  // Of the runtime, which sets it lower where many batches share little memory. [empty batch]
  void set_extra_limit(std::size_t bytes) { extra_limit_ = bytes; }
  // What the batch takes beside memory_size() for extra bytes, also after clear().
  std::size_t extra_memory() const { return arena_used_ > arena_size_ ? arena_used_ : arena_size_; }
  // How much of that its budget has counted; of the runtime.
  std::size_t counted() const { return counted_; }
  void set_counted(std::size_t bytes) { counted_ = bytes; }
  // What rows and timestamps may take together.
  std::size_t memory_size() const { return memory_size_; }

  // Ends the rows and gives large arena chunks back; the batch can be filled anew.
  void clear();
  // Gives the arena back, too. [empty batch]
  void trim();
  // Makes this (empty) batch one of another type; the memory stays.
  void retype(const RecordType& type, std::uint32_t max_rows = 0);

 private:
  char* allocate_chunk(std::size_t bytes);
  std::size_t chunk_size() const;
  struct Chunk;

  const RecordType* type_;
  void* rows_;
  std::int64_t* timestamps_;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ = 0;
  bool has_timestamps_ = false;
  bool exclusive_ = false;
  char* arena_at_ = nullptr;
  char* arena_end_ = nullptr;
  std::size_t arena_used_ = 0;
  std::size_t arena_size_ = 0;  // of all chunks
  std::size_t extra_limit_ = kExtraLimit;
  std::size_t counted_ = 0;
  Chunk* chunks_ = nullptr;
  void* memory_;
  std::size_t memory_size_;
};

}  // namespace freshet
