// Bytes out and bytes in: what every Serde writes to and reads from.
//
// Numbers are little-endian and of fixed width; lengths and counts are varints (LEB128, shortest
// form only). Neither class may be used by two threads at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

#include "freshet/api.h"
#include "freshet/error.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "Freshet runs on little-endian hosts");

namespace freshet {

// The bytes are not what the reader's type asks for. Names what was wanted, where, and both sizes.
class FRESHET_API DecodeError : public Error {
 public:
  using Error::Error;
  ~DecodeError() override;
};

// Appends to a buffer that grows (the default), or to one of fixed size that is the caller's.
//
// A write that does not fit a fixed buffer writes nothing, and neither does any later one:
// overflowed() says so and rewind() mends it. So a frame is filled record by record: take size()
// as a mark, write, and on overflowed() rewind(mark), send the frame, write the record again.
class FRESHET_API ByteWriter {
 public:
  ByteWriter() = default;
  ByteWriter(void* buffer, std::size_t capacity) noexcept;
  ByteWriter(ByteWriter&& other) noexcept;
  ByteWriter& operator=(ByteWriter&& other) noexcept;
  ByteWriter(const ByteWriter&) = delete;
  ByteWriter& operator=(const ByteWriter&) = delete;
  ~ByteWriter();

  void write(const void* bytes, std::size_t size) {
    if (size > static_cast<std::size_t>(end_ - position_) && !make_room(size)) return;
    if (size != 0) std::memcpy(position_, bytes, size);
    position_ += size;
  }

  // A number or enum at its own width.
  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) void write_fixed(T value) {
    write(&value, sizeof(T));
  }

  void write_varint(std::uint64_t value) {
    unsigned char bytes[10];
    std::size_t size = 0;
    for (; value >= 0x80; value >>= 7) bytes[size++] = static_cast<unsigned char>(value | 0x80);
    bytes[size++] = static_cast<unsigned char>(value);
    write(bytes, size);
  }

  // A varint of the size, then the bytes.
  void write_string(std::string_view text) {
    write_varint(text.size());
    write(text.data(), text.size());
  }

  const char* data() const noexcept { return begin_; }
  std::size_t size() const noexcept { return static_cast<std::size_t>(position_ - begin_); }
  std::string_view view() const noexcept { return {begin_, size()}; }
  bool overflowed() const noexcept { return overflowed_; }

  // Forgets what was written after the first `size` bytes. Requires size <= this->size().
  void rewind(std::size_t size) noexcept;
  void clear() noexcept { rewind(0); }

 private:
  bool make_room(std::size_t size);

  char* begin_ = nullptr;
  char* position_ = nullptr;
  char* end_ = nullptr;  // of what may be written now: position_ once overflowed
  std::size_t capacity_ = 0;
  bool fixed_ = false;
  bool overflowed_ = false;
};

// Reads [begin, end), which stays the caller's and outlives the reader and all views it gave.
// Every length is checked against what is left before it is believed; too few bytes throw
// DecodeError. `what` names the thing wanted and is for that message alone.
class FRESHET_API ByteReader {
 public:
  ByteReader(const void* begin, const void* end) noexcept
      : begin_(static_cast<const char*>(begin)),
        position_(begin_),
        end_(static_cast<const char*>(end)) {}
  ByteReader(const char* bytes, std::size_t size) noexcept : ByteReader(bytes, bytes + size) {}
  explicit ByteReader(std::string_view bytes) noexcept : ByteReader(bytes.data(), bytes.size()) {}

  // The next `size` bytes, in the reader's memory.
  const char* take(std::size_t size, const char* what) {
    if (size > remaining()) fail_short(what, size);
    const char* bytes = position_;
    position_ += size;
    return bytes;
  }

  void read(void* into, std::size_t size, const char* what) {
    const char* bytes = take(size, what);
    if (size != 0) std::memcpy(into, bytes, size);
  }

  template <class T>
  requires(std::is_arithmetic_v<T> || std::is_enum_v<T>) T read_fixed(const char* what) {
    static_assert(!std::is_same_v<T, bool>, "a bool has only two valid bytes: read_bool()");
    T value;
    std::memcpy(&value, take(sizeof(T), what), sizeof(T));
    return value;
  }

  bool read_bool() {
    auto byte = static_cast<unsigned char>(*take(1, "bool"));
    if (byte > 1) fail_value("bool", byte, "0 or 1");
    return byte == 1;
  }

  std::uint64_t read_varint(const char* what) {
    if (position_ != end_ && static_cast<unsigned char>(*position_) < 0x80)
      return static_cast<unsigned char>(*position_++);
    return read_long_varint(what);
  }

  // How many elements follow, where each takes at least `bytes_each` > 0 bytes: a count that the
  // bytes left can't hold is refused here, before anything is allocated for it.
  std::size_t read_count(std::size_t bytes_each, const char* what) {
    std::uint64_t count = read_varint(what);
    if (count > remaining() / bytes_each) fail_count(what, count, bytes_each);
    return static_cast<std::size_t>(count);
  }

  // A string as write_string() wrote it, in the reader's memory.
  std::string_view read_string(const char* what = "string") {
    std::size_t size = read_count(1, what);
    return {take(size, what), size};
  }

  std::size_t offset() const noexcept { return static_cast<std::size_t>(position_ - begin_); }
  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - position_); }
  bool at_end() const noexcept { return position_ == end_; }

  // Throws if bytes are left over: the writer wrote another type.
  void expect_end(const char* what) const;

  [[noreturn]] void fail_value(const char* what, std::uint64_t value, const char* expected) const;

 private:
  std::uint64_t read_long_varint(const char* what);
  [[noreturn]] void fail_short(const char* what, std::size_t size) const;
  [[noreturn]] void fail_count(const char* what, std::uint64_t count, std::size_t each) const;

  const char* begin_;
  const char* position_;
  const char* end_;
};

}  // namespace freshet
