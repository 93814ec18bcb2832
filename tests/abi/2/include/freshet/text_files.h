// Lines of text files, and of the standard input.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "freshet/source.h"

namespace freshet {

class Configuration;

// The lines that begin in bytes [begin, end) of a file.
struct FileSplit {
  std::string path;
  std::uint64_t begin;
  std::uint64_t end;
};

namespace detail {

// Reads a file's bytes block by block and shows whole lines. Grows to the longest line it meets.
class FRESHET_API LineBlocks {
 public:
  LineBlocks();
  ~LineBlocks();
  LineBlocks(LineBlocks&&) noexcept;
  LineBlocks& operator=(LineBlocks&&) noexcept;

  // Throws Error that names the file and what the system said.
  void open(const FileSplit& split);
  void open_standard_input();
  // Waits up to 100 ms (the fiber, not the thread) for bytes or the end of the standard input.
  bool wait_for_input();
  // The next bytes, which end with a line's end or with the file; empty at the end of the split.
  // Valid until the next call. Empty, and not ended(): a line of the standard input is not whole
  // yet.
  std::string_view next_block();
  bool ended() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Files of a path, a folder (its files, not its folders', no names that begin with . or _), or a
// pattern with * ? [...] (the same, so that dir/* is what dir is; names that begin with . or _ if
// the pattern's do), sorted by name. A file whose size the system does not know is one split.
// Throws Error if there is none or it can't be read. Splits are of `largest` bytes, or smaller, so
// that each of `parallelism` readers gets some, but of `smallest` at least.
FRESHET_API std::vector<FileSplit> splits_of(const std::string& path, std::uint64_t largest,
                                             std::uint64_t smallest, std::uint32_t parallelism);
// The sizes that the configuration has. Throws InvalidInput if they exclude each other.
struct SplitSizes {
  std::uint64_t largest, smallest;
};
FRESHET_API SplitSizes split_sizes_of(const Configuration& configuration);

// What a relative path means here: tasks run in processes that may work in other folders. Of a
// pattern the folders above it are taken as they are.
FRESHET_API std::string absolute_path(const std::string& path);
FRESHET_API std::string absolute_pattern(const std::string& path);

struct LineReader {
  LineBlocks blocks;
  const char* at = nullptr;
  const char* end = nullptr;

  // Emits lines without their end ("\n"; a "\r" before it stays).
  template <class Out>
  FRESHET_INLINE ReadStatus read(Out& out, std::uint32_t records) {
    if (at == end) {
      const std::string_view block = blocks.next_block();
      if (block.empty()) {
        return blocks.ended() ? ReadStatus::split_done() : ReadStatus::more();
      }
      at = block.data();
      end = at + block.size();
    }
    const char* p = at;
    const char* const stop = end;
    for (std::uint32_t k = 0; k < records && p != stop; ++k) {
      const auto* newline =
          static_cast<const char*>(__builtin_memchr(p, '\n', static_cast<std::size_t>(stop - p)));
      const char* line_end = newline ? newline : stop;
      // What out() does may throw; the line counts as read then.
      at = newline ? newline + 1 : stop;
      out(std::string_view(p, static_cast<std::size_t>(line_end - p)));
      p = at;
    }
    return ReadStatus::more();
  }
};

struct TextFileSource {
  using Record = std::string_view;
  using Split = FileSplit;
  std::string path;
  std::uint64_t largest_split;
  std::uint64_t smallest_split = UINT64_MAX;  // more than the largest: all are as large as that

  bool bounded() const { return true; }
  FixedSplits<Split> enumerator(std::uint32_t parallelism) const {
    return FixedSplits<Split>(splits_of(path, largest_split, smallest_split, parallelism));
  }
  struct Reader : LineReader {
    void start(const Split& split) {
      at = end = nullptr;
      blocks.open(split);
    }
  };
  Reader reader(RuntimeContext&) const { return {}; }
};

// The kind of its vertex.
inline constexpr const char* kStandardInput = "standard input";

struct StandardInputSource {
  using Record = std::string_view;
  using Split = std::uint32_t;
  // Lines are handed on as they come, and nobody knows when the last one will.
  bool bounded() const { return false; }
  FixedSplits<Split> enumerator(std::uint32_t) const { return FixedSplits<Split>({0}); }
  struct Reader : LineReader {
    void start(Split) { blocks.open_standard_input(); }
    template <class Out>
    ReadStatus read(Out& out, std::uint32_t records) {
      // In between a cancel is seen.
      if (at == end && !blocks.wait_for_input()) return ReadStatus::waiting_until(0);
      return LineReader::read(out, records);
    }
  };
  Reader reader(RuntimeContext&) const { return {}; }
};

}  // namespace detail
}  // namespace freshet
