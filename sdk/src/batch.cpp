#include "freshet/plugin/batch.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <new>
#include <string>

#include "freshet/error.h"
#include "freshet/plugin/record_type.h"

namespace freshet {

void expect_records(const RecordType& got, const RecordType& wanted) {
  if (&got == &wanted) return;
  if (got.schema().fingerprint() == wanted.schema().fingerprint() && got.size == wanted.size &&
      got.align == wanted.align) {
    if (got.schema().compare_names(wanted.schema()) != Schema::Names::kOtherOrder) return;
    throw Error("records " + got.schema().text_with_names() + " come in, this operator reads " +
                wanted.schema().text_with_names() +
                ": fields are matched by their place, put them into one order");
  }
  const auto text = [](const RecordType& type) {
    return type.schema().text() + " of " + std::to_string(type.size) + " bytes aligned to " +
           std::to_string(type.align);
  };
  throw Error("records " + text(got) + " come in, this operator reads " + text(wanted) +
              ": build their modules against one definition of the record type");
}

struct Batch::Chunk {
  Chunk* next;
  std::size_t size;
  char* bytes() { return reinterpret_cast<char*>(this + 1); }
};

namespace {
constexpr std::size_t kMemoryAlignment = 64;
constexpr std::size_t kChunkSize = 64 * 1024;
}  // namespace

std::size_t Batch::chunk_size() const { return std::min(kChunkSize, extra_limit_); }

Batch::Batch(const RecordType& type, std::size_t memory_size, std::uint32_t max_rows)
    : type_(&type) {
  const std::size_t one_row = type.size + sizeof(std::int64_t) + 2 * kMemoryAlignment;
  memory_size_ = std::max(memory_size, one_row);
  memory_size_ = (memory_size_ + kMemoryAlignment - 1) / kMemoryAlignment * kMemoryAlignment;
  memory_ = ::operator new(memory_size_, std::align_val_t(kMemoryAlignment));
  retype(type, max_rows);
}

Batch::~Batch() {
  clear();
  trim();
  ::operator delete(memory_, std::align_val_t(kMemoryAlignment));
}

void Batch::retype(const RecordType& type, std::uint32_t max_rows) {
  assert(size_ == 0);
  type_ = &type;
  rows_ = memory_;
  const std::size_t row = type.size + sizeof(std::int64_t);
  const std::size_t fit = std::max<std::size_t>(1, (memory_size_ - kMemoryAlignment) / row);
  capacity_ = static_cast<std::uint32_t>(max_rows ? std::min<std::size_t>(fit, max_rows) : fit);
  const std::size_t rows_end =
      (capacity_ * std::size_t{type.size} + alignof(std::int64_t) - 1) / 8 * 8;
  timestamps_ = reinterpret_cast<std::int64_t*>(static_cast<char*>(memory_) + rows_end);
}

void Batch::borrow(const void* rows, const std::int64_t* timestamps, std::uint32_t size) {
  assert(size_ == 0);
  rows_ = const_cast<void*>(rows);
  size_ = size;
  has_timestamps_ = timestamps != nullptr;
  if (timestamps) timestamps_ = const_cast<std::int64_t*>(timestamps);
}

char* Batch::allocate_chunk(std::size_t bytes) {
  const std::size_t size = std::max(bytes, chunk_size());
  auto* chunk = static_cast<Chunk*>(std::malloc(sizeof(Chunk) + size));
  if (!chunk) throw std::bad_alloc();
  chunk->size = size;
  chunk->next = chunks_;
  chunks_ = chunk;
  arena_at_ = chunk->bytes() + bytes;
  arena_end_ = chunk->bytes() + size;
  arena_used_ += bytes;
  arena_size_ += size;
  return chunk->bytes();
}

void Batch::trim() {
  assert(size_ == 0);
  while (chunks_) {
    Chunk* next = chunks_->next;
    std::free(chunks_);
    chunks_ = next;
  }
  arena_at_ = arena_end_ = nullptr;
  arena_size_ = 0;
}

void Batch::clear() {
  if (borrows()) {
    size_ = 0;
    has_timestamps_ = false;
    retype(*type_, capacity_);
  } else {
    if (size_ && type_->destroy) type_->destroy(rows_, size_);
    size_ = 0;
    has_timestamps_ = false;
  }
  arena_used_ = 0;
  if (!chunks_) return;
  // One chunk of the usual size stays warm for the next rows.
  Chunk* keep = nullptr;
  while (chunks_) {
    Chunk* next = chunks_->next;
    if (!keep && chunks_->size == chunk_size()) {
      keep = chunks_;
    } else {
      std::free(chunks_);
    }
    chunks_ = next;
  }
  chunks_ = keep;
  arena_at_ = arena_end_ = nullptr;
  arena_size_ = keep ? keep->size : 0;
  if (keep) {
    keep->next = nullptr;
    arena_at_ = keep->bytes();
    arena_end_ = arena_at_ + keep->size;
  }
}

}  // namespace freshet
