// What a process has printed: <folder>/<name>.log, and <name>.log.1 with what came before, each at
// most so big. The end of it is kept in memory, too.
//
// Positions count every byte since the first, also those of files that are gone by now and those
// that a full disk has swallowed.
//
// Threads    Any.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "freshet/api.h"
#include "posix/descriptor.h"

namespace freshet::core {

struct LogText {
  std::string text;
  std::uint64_t next = 0;  // where to go on
  // What of `text` was appended as errors: [begin, end) in order.
  std::vector<std::pair<std::uint64_t, std::uint64_t>> errors;
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
  // Never throws for a full disk: what can't be written is dropped, and read() leaves it out.
  void append(std::string_view text, bool errors = false);
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
  // Its streams alternate: it begins with output, and changes at each of `turns`.
  struct File {
    std::uint64_t begin = 0;  // position of its first byte
    std::uint64_t size = 0;
    std::vector<std::uint64_t> turns{};  // positions
  };

  void open();
  void roll();
  void lose(std::uint64_t bytes);
  void turn_to(bool errors);
  LogText read_from(const File& file, const std::filesystem::path& path, std::uint64_t size,
                    std::uint64_t from, std::size_t max_bytes) const;
  std::filesystem::path current() const;
  std::filesystem::path previous() const;

  const std::filesystem::path folder_;
  const std::string name_;
  const std::uint64_t max_bytes_;
  mutable std::mutex mutex_;
  Descriptor file_;
  bool takes_streams_ = false;
  File previous_, current_;  // <name>.log.1 and <name>.log
  std::uint64_t end_ = 0;
  bool lost_ = false;  // what came last is nowhere: the next file begins behind it
  std::string tail_;
};

// The same of a file that somebody else writes; empty if it can't be read.
FRESHET_API std::string last_lines_of_file(const std::filesystem::path& file,
                                           std::uint64_t from = 0);

}  // namespace freshet::core
