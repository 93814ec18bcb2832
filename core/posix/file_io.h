// Reads and writes that a signal does not cut short.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace freshet::core {

// How much of a file is read at once when all of it is.
inline constexpr std::size_t kFileBlock = std::size_t{256} * 1024;

// As ::read(), but not interrupted.
inline ssize_t read_some(int file, char* bytes, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(file, bytes, size);
    if (got >= 0 || errno != EINTR) return got;
  }
}

// All of these bytes, or those up to the end of the file. How many; -1 and errno if it fails.
inline ssize_t read_at(int file, std::uint64_t offset, char* bytes, std::size_t size) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(file, bytes + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return got;
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

// Returns 0 or the errno. EAGAIN ends it, too: it is for descriptors that block.
inline int write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(file, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return errno;
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return 0;
}

}  // namespace freshet::core
