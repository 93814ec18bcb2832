// A file descriptor that closes itself, and a file in memory.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "posix/file_io.h"

namespace freshet::core {

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  int get() const { return number_; }  // -1: none
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }

 private:
  int number_;
};

// At its beginning. None if it can't be made: errno.
inline Descriptor memory_file(const std::string& content) {
  Descriptor file(::memfd_create("inherited", MFD_CLOEXEC));
  if (file.get() < 0) return file;
  errno = write_all(file.get(), content);
  if (errno != 0 || ::lseek(file.get(), 0, SEEK_SET) != 0) return Descriptor();
  return file;
}

}  // namespace freshet::core
