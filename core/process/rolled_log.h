// What a process has printed: <folder>/<name>.log, and <name>.log.1 with what came before, each at
// most so big. The end of it is kept in memory, too.
//
// Positions count every byte since the first, also those of files that are gone by now.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "freshet/api.h"

namespace freshet {

struct LogText {
  std::string text;
  std::uint64_t next = 0;  // where to go on
};

class FRESHET_API RolledLog {
 public:
  // A file of that name is gone on with. One that can't be written keeps its end in memory all the
  // same.
  RolledLog(std::filesystem::path folder, std::string name, std::uint64_t max_bytes);
  ~RolledLog();
  RolledLog(const RolledLog&) = delete;
  RolledLog& operator=(const RolledLog&) = delete;

  const std::string& name() const { return name_; }
  // Never throws for a full disk: what can't be written is dropped.
  void append(std::string_view text);
  // From `from` on, at most `max_bytes`; from the oldest that is kept if that is gone.
  LogText read(std::uint64_t from, std::size_t max_bytes) const;
  // The last lines, at most 20 of them and 4 KiB.
  std::string last_lines() const;
  // From here on what this very process prints goes there, too: descriptors 1 and 2.
  void take_standard_streams();
  // Closes the file until the next append().
  void close();
  // Takes the files away.
  void remove();

 private:
  void open();
  void roll();
  std::filesystem::path current() const;
  std::filesystem::path previous() const;

  const std::filesystem::path folder_;
  const std::string name_;
  const std::uint64_t max_bytes_;
  mutable std::mutex mutex_;
  int file_ = -1;
  bool takes_streams_ = false;
  std::uint64_t previous_begin_ = 0;  // position of the first byte of <name>.log.1
  std::uint64_t current_begin_ = 0;   // of <name>.log
  std::uint64_t end_ = 0;
  std::string tail_;
};

// The same of a file that somebody else writes; empty if it can't be read.
FRESHET_API std::string last_lines_of_file(const std::filesystem::path& file,
                                           std::uint64_t from = 0);

}  // namespace freshet
