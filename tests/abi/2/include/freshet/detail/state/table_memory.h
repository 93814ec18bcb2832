// Where keyed tables keep their slots, and the bytes of their string keys.
#pragma once

#include <cstddef>
#include <cstring>
#include <string_view>

#include "freshet/api.h"

namespace freshet::detail {

// Zeroed memory, aligned to 64 bytes; from 2 MiB on a mapping of its own that asks for huge pages.
// Throws std::bad_alloc.
FRESHET_API void* allocate_table(std::size_t bytes);
FRESHET_API void free_table(void* memory, std::size_t bytes) noexcept;

// Key bytes that live as long as the arena does. Not thread safe.
class FRESHET_API KeyArena {
 public:
  KeyArena() = default;
  KeyArena(KeyArena&& other) noexcept { swap(other); }
  KeyArena& operator=(KeyArena&& other) noexcept {
    swap(other);
    return *this;
  }
  KeyArena(const KeyArena&) = delete;
  KeyArena& operator=(const KeyArena&) = delete;
  ~KeyArena() { clear(); }

  // A copy of the bytes; never null, not even for none.
  const char* intern(std::string_view bytes) {
    if (bytes.size() >= static_cast<std::size_t>(end_ - position_)) add_chunk(bytes.size() + 1);
    char* copy = position_;
    if (!bytes.empty()) std::memcpy(copy, bytes.data(), bytes.size());
    position_ += bytes.size();
    return copy;
  }

  // Memory held, used or not.
  std::size_t bytes() const noexcept { return bytes_; }
  void clear() noexcept;
  void swap(KeyArena& other) noexcept;

 private:
  struct Chunk;
  void add_chunk(std::size_t least);

  Chunk* chunks_ = nullptr;
  char* position_ = nullptr;
  char* end_ = nullptr;
  std::size_t bytes_ = 0;
};

}  // namespace freshet::detail
