#include "freshet/detail/state/table_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <utility>

namespace freshet::detail {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kAlignment = 64;
constexpr std::size_t kFirstChunk = 512;
constexpr std::size_t kLargestChunk = 256 * 1024;

std::size_t round_up(std::size_t bytes, std::size_t unit) {
  if (bytes > SIZE_MAX - 2 * unit) throw std::bad_alloc();
  return (bytes + unit - 1) / unit * unit;
}

// A mapping that begins at a huge page: a larger one, with both ends given back.
void* map_huge(std::size_t bytes) {
  void* mapped =
      mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  char* begin = static_cast<char*>(mapped);
  const std::size_t skip =
      (kHugePage - reinterpret_cast<std::uintptr_t>(begin) % kHugePage) % kHugePage;
  if (skip != 0) munmap(begin, skip);
  munmap(begin + skip + bytes, kHugePage - skip);  // skip is less than a huge page
  // A kernel without huge pages refuses, and the table works on small ones.
  (void)madvise(begin + skip, bytes, MADV_HUGEPAGE);
  return begin + skip;
}

}  // namespace

void* allocate_table(std::size_t bytes) {
  if (bytes >= kHugePage) return map_huge(round_up(bytes, kHugePage));
  bytes = round_up(std::max<std::size_t>(bytes, 1), kAlignment);
  void* memory = std::aligned_alloc(kAlignment, bytes);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, bytes);
  return memory;
}

void free_table(void* memory, std::size_t bytes) noexcept {
  if (memory == nullptr) return;
  if (bytes >= kHugePage) {
    munmap(memory, (bytes + kHugePage - 1) / kHugePage * kHugePage);
  } else {
    std::free(memory);
  }
}

struct KeyArena::Chunk {
  Chunk* next;
};

void KeyArena::clear() noexcept {
  while (chunks_ != nullptr) std::free(std::exchange(chunks_, chunks_->next));
  position_ = end_ = nullptr;
  bytes_ = 0;
}

void KeyArena::swap(KeyArena& other) noexcept {
  std::swap(chunks_, other.chunks_);
  std::swap(position_, other.position_);
  std::swap(end_, other.end_);
  std::swap(bytes_, other.bytes_);
}

// Chunks grow with the arena, so that ten thousand small tables stay small.
void KeyArena::add_chunk(std::size_t least) {
  const std::size_t usual = std::clamp(bytes_, kFirstChunk, kLargestChunk);
  if (least > SIZE_MAX / 2) throw std::bad_alloc();
  const std::size_t size = std::max(usual, least + sizeof(Chunk));
  char* memory = static_cast<char*>(std::malloc(size));
  if (memory == nullptr) throw std::bad_alloc();
  chunks_ = ::new (memory) Chunk{chunks_};
  position_ = memory + sizeof(Chunk);
  end_ = memory + size;
  bytes_ += size;
}

}  // namespace freshet::detail
