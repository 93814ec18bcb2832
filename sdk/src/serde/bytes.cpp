#include "freshet/serde/bytes.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <new>
#include <utility>

#include "freshet/serde.h"

namespace freshet {

DecodeError::~DecodeError() = default;

ByteWriter::ByteWriter(void* buffer, std::size_t capacity) noexcept
    : begin_(static_cast<char*>(buffer)),
      position_(begin_),
      end_(begin_ + capacity),
      capacity_(capacity),
      fixed_(true) {}

ByteWriter::ByteWriter(ByteWriter&& other) noexcept { *this = std::move(other); }

ByteWriter& ByteWriter::operator=(ByteWriter&& other) noexcept {
  std::swap(begin_, other.begin_);
  std::swap(position_, other.position_);
  std::swap(end_, other.end_);
  std::swap(capacity_, other.capacity_);
  std::swap(fixed_, other.fixed_);
  std::swap(overflowed_, other.overflowed_);
  return *this;
}

ByteWriter::~ByteWriter() {
  if (!fixed_) std::free(begin_);
}

void ByteWriter::rewind(std::size_t size) noexcept {
  assert(size <= this->size());
  position_ = begin_ + size;
  end_ = begin_ + capacity_;
  overflowed_ = false;
}

bool ByteWriter::make_room(std::size_t size) {
  if (fixed_) {
    end_ = position_;
    overflowed_ = true;
    return false;
  }
  const std::size_t used = this->size();
  if (size > SIZE_MAX / 2 - used) throw std::bad_alloc();
  const std::size_t capacity = std::max({used + size, capacity_ * 2, std::size_t{64}});
  char* grown = static_cast<char*>(std::realloc(begin_, capacity));
  if (grown == nullptr) throw std::bad_alloc();
  begin_ = grown;
  position_ = grown + used;
  end_ = grown + capacity;
  capacity_ = capacity;
  return true;
}

namespace {

constexpr const char* kMend =
    "the bytes were cut or damaged, or were written with another schema than they are read with";

}  // namespace

void ByteReader::expect_end(const char* what) const {
  if (at_end()) return;
  throw DecodeError("cannot decode: expected the " + std::string(what) + " at offset " +
                    std::to_string(offset()) + ", but " + std::to_string(remaining()) + " of " +
                    std::to_string(offset() + remaining()) + " bytes are left over: " + kMend);
}

void ByteReader::fail_value(const char* what, std::uint64_t value, const char* expected) const {
  throw DecodeError("cannot decode a " + std::string(what) + ": the value before offset " +
                    std::to_string(offset()) + " is " + std::to_string(value) + ", expected " +
                    expected + ": " + kMend);
}

void ByteReader::fail_short(const char* what, std::size_t size) const {
  throw DecodeError("cannot decode a " + std::string(what) + ": it takes " + std::to_string(size) +
                    " bytes at offset " + std::to_string(offset()) + ", but " +
                    std::to_string(remaining()) + " of " + std::to_string(offset() + remaining()) +
                    " are left: " + kMend);
}

void ByteReader::fail_count(const char* what, std::uint64_t count, std::size_t each) const {
  throw DecodeError("cannot decode a " + std::string(what) + ": its length, before offset " +
                    std::to_string(offset()) + ", says " + std::to_string(count) +
                    " elements of at least " + std::to_string(each) + " bytes, but " +
                    std::to_string(remaining()) + " of " + std::to_string(offset() + remaining()) +
                    " bytes are left: " + kMend);
}

std::uint64_t ByteReader::read_long_varint(const char* what) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<unsigned char>(*take(1, what));
    value |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) {
      const bool too_long = byte == 0 && shift != 0;
      const bool too_big = shift == 63 && byte > 1;
      if (too_long || too_big) fail_value(what, byte, "another last byte of a varint");
      return value;
    }
  }
  fail_value(what, value, "a varint of at most ten bytes");
}

void detail::fail_valueless() {
  throw Error("cannot write a std::variant that has no value (valueless_by_exception)");
}

}  // namespace freshet
