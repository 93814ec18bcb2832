// The raw report of a crash, while it is written: lines of fields in memory of a fixed size, which
// the dead process's parent may share. Each line counts once it is complete, so that a report that
// breaks off is a report still.
//
// Everything here may be called in a signal handler.
//
// Threads    One at a time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "freshet/api.h"

namespace freshet::core {

// As it lies in the file that the parent reads.
struct CrashArea {
  static constexpr std::uint64_t kMagic = 0x3148534152435246;  // "FRCRASH1"
  static constexpr std::size_t kTextBytes = std::size_t{256} * 1024 - 16;

  std::atomic<std::uint64_t> magic;  // kMagic: what follows is a report
  std::atomic<std::uint32_t> used;   // of `text`
  std::uint32_t unused;
  char text[kTextBytes];
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && sizeof(CrashArea) == 256 * 1024);

class FRESHET_API CrashText {
 public:
  // Nothing is written before.
  void write_to(CrashArea& area) { area_ = &area; }
  // Nothing is written any more.
  void close() { area_ = nullptr; }

  CrashText& field(std::string_view text);  // control characters become spaces
  CrashText& field(std::uint64_t number, unsigned base = 10);
  void end_line();

 private:
  bool put(char byte);

  std::atomic<CrashArea*> area_{nullptr};
  std::size_t at_ = 0;
  bool first_ = true;  // of its line
};

}  // namespace freshet::core
