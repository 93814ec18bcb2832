#include "freshet/payload.h"

#include <cstring>
#include <limits>

namespace freshet {
namespace {

constexpr std::size_t kCodeSize = 8;

}  // namespace

void PayloadWriter::raw(const void* bytes, std::size_t size) {
  if (size > std::numeric_limits<std::uint32_t>::max() - payload_.bytes.size()) {
    throw InvalidInput("a function's captures take " +
                       std::to_string(payload_.bytes.size() + size) +
                       " bytes, the most is 4 GiB: read large data in open() instead");
  }
  payload_.bytes.append(static_cast<const char*>(bytes), size);
}

// Zeros stand for the address, so that equal functions give equal bytes in every run.
void PayloadWriter::code(const void* function) {
  payload_.code.push_back({static_cast<std::uint32_t>(payload_.bytes.size()), function});
  const char zeros[kCodeSize] = {};
  raw(zeros, kCodeSize);
}

// The size, then the bytes; padding, where the copies differ, travels as zeros.
void PayloadWriter::closure(const void* first, const void* second, std::size_t size) {
  ByteWriter header;
  header.write_varint(size);
  raw(header.data(), header.size());

  const auto offset = static_cast<std::uint32_t>(payload_.bytes.size());
  std::string bytes(static_cast<const char*>(first), size);
  std::string copy(static_cast<const char*>(second), size);
  for (std::size_t i = 0; i < size; ++i) {
    if (bytes[i] != copy[i]) bytes[i] = 0;
  }
  raw(bytes.data(), bytes.size());
  payload_.closures.push_back({offset, static_cast<std::uint32_t>(size), std::move(copy)});
}

const void* PayloadReader::code() {
  const void* address = nullptr;
  static_assert(sizeof address == kCodeSize);
  reader_.read(&address, sizeof address, "address of a function");
  return address;
}

void PayloadReader::closure(void* into, std::size_t size) {
  const std::uint64_t written = reader_.read_varint("size of a closure");
  if (written != size) {
    throw DecodeError("the payload holds a closure of " + std::to_string(written) +
                      " bytes, the operator's has " + std::to_string(size) +
                      ": the job was built by another version of this module");
  }
  reader_.read(into, size, "closure");
}

std::string_view PayloadReader::rest() {
  const std::size_t size = reader_.remaining();
  return {reader_.take(size, "payload"), size};
}

void PayloadReader::expect_end() const { reader_.expect_end("payload of an operator"); }

}  // namespace freshet
