#include "freshet/text_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

#include "freshet/await.h"
#include "freshet/configuration.h"
#include "freshet/error.h"
#include "freshet/options.h"

namespace freshet::detail {

namespace {

constexpr std::size_t kBlockSize = 256 * 1024;
constexpr std::uint64_t kUnknownSize = UINT64_MAX;

[[noreturn]] void fail(const std::string& what, const std::string& path, int error,
                       const std::string& mend) {
  throw Error("can't " + what + " '" + path + "': " + std::strerror(error) + ": " + mend);
}

std::string mend_for(int error) {
  switch (error) {
    case ENOENT:
      return "check the path";
    case EACCES:
      return "give this user the right to read it";
    case EISDIR:
      return "name the folder itself, or a pattern of files in it";
    default:
      return "check the file";
  }
}

}  // namespace

struct LineBlocks::State {
  std::string path;
  int file = -1;
  bool standard_input = false;
  std::uint64_t position = 0;  // of the file: where the next read begins
  std::uint64_t end = 0;       // lines that begin before it are ours
  bool done = true;
  // [begin, filled): read and not yet shown.
  std::unique_ptr<char[]> memory;
  std::size_t capacity = 0;
  std::size_t begin = 0;
  std::size_t filled = 0;
  std::size_t searched = 0;  // bytes from `begin` on that are known to hold no line's end

  ~State() { close(); }
  void close() {
    if (file >= 0 && !standard_input) ::close(file);
    file = -1;
  }
  void reserve(std::size_t size) {
    if (size <= capacity) return;
    auto larger = std::make_unique_for_overwrite<char[]>(size);
    if (filled) std::memcpy(larger.get(), memory.get(), filled);
    memory = std::move(larger);
    capacity = size;
  }
  // Reads behind what is there; false at the end of the file.
  bool read_more() {
    if (begin > 0) {
      std::memmove(memory.get(), memory.get() + begin, filled - begin);
      filled -= begin;
      begin = 0;
    }
    if (filled == capacity) reserve(std::max(kBlockSize, capacity * 2));
    ssize_t got;
    do {
      got = standard_input ? ::read(file, memory.get() + filled, capacity - filled)
                           : ::pread(file, memory.get() + filled, capacity - filled,
                                     static_cast<off_t>(position));
    } while (got < 0 && errno == EINTR);
    if (got < 0) fail("read", path, errno, mend_for(errno));
    filled += static_cast<std::size_t>(got);
    position += static_cast<std::uint64_t>(got);
    return got > 0;
  }
};

LineBlocks::LineBlocks() : state_(std::make_unique<State>()) {}
LineBlocks::~LineBlocks() = default;
LineBlocks::LineBlocks(LineBlocks&&) noexcept = default;
LineBlocks& LineBlocks::operator=(LineBlocks&&) noexcept = default;

void LineBlocks::open(const FileSplit& split) {
  State& s = *state_;
  s.close();
  s.path = split.path;
  s.begin = s.filled = s.searched = 0;
  s.end = split.end;
  s.done = split.begin >= split.end;
  if (s.done) return;
  s.file = ::open(split.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (s.file < 0) fail("open", split.path, errno, mend_for(errno));
  s.reserve(kBlockSize);
  s.position = split.begin;
  if (split.begin == 0) return;
  // The line that lies across the beginning is the split before's: begin behind its end, which
  // may be the very byte before us. If it lies across our end, too, no line begins here.
  s.position = split.begin - 1;
  for (;;) {
    if (s.position >= s.end || !s.read_more()) {
      s.done = true;
      s.close();
      return;
    }
    const auto* newline = static_cast<const char*>(std::memchr(s.memory.get(), '\n', s.filled));
    if (newline) {
      s.begin = static_cast<std::size_t>(newline - s.memory.get()) + 1;
      break;
    }
    s.begin = s.filled;
  }
  const std::uint64_t first_line = s.position - (s.filled - s.begin);
  if (first_line >= s.end) s.done = true;
}

void LineBlocks::open_standard_input() {
  State& s = *state_;
  s.path = "standard input";
  s.file = STDIN_FILENO;
  s.standard_input = true;
  s.reserve(kBlockSize);
  s.begin = s.filled = s.searched = 0;
  s.end = UINT64_MAX;
  s.done = false;
}

bool LineBlocks::ended() const { return state_->done; }

bool LineBlocks::wait_for_input() {
  return await([] {
    pollfd standard_input{STDIN_FILENO, POLLIN, 0};
    return ::poll(&standard_input, 1, 100) != 0;
  });
}

std::string_view LineBlocks::next_block() {
  State& s = *state_;
  bool waited = false;
  while (!s.done) {
    char* const data = s.memory.get();
    const std::size_t available = s.filled - s.begin;
    if (available) {
      // Where the bytes that are ours for certain end: a line that begins before `end` is ours to
      // its own end.
      const std::uint64_t file_offset = s.position - available;
      const std::uint64_t to_end = s.end - std::min(s.end, file_offset);
      char* const first = data + s.begin;
      if (to_end == 0) break;
      if (to_end <= available) {
        const auto* newline =
            static_cast<const char*>(std::memchr(first + to_end - 1, '\n', available - to_end + 1));
        if (newline) {
          s.done = true;
          return {first, static_cast<std::size_t>(newline + 1 - first)};
        }
      }
      const std::size_t within = std::min<std::uint64_t>(available, to_end);
      const std::size_t known = std::min(s.searched, within);
      const auto* newline = static_cast<const char*>(memrchr(first + known, '\n', within - known));
      if (newline) {
        const auto size = static_cast<std::size_t>(newline + 1 - first);
        s.begin += size;
        s.searched = 0;
        return {first, size};
      }
      s.searched = within;
    }
    // One read per wait: the next one could block.
    if (s.standard_input && std::exchange(waited, true)) return {};
    if (!s.read_more()) {
      s.done = true;
      if (s.filled == s.begin) break;
      return {s.memory.get() + s.begin, s.filled - s.begin};
    }
  }
  s.done = true;
  s.close();
  return {};
}

namespace {

// Files that the kernel makes when they are read, such as /proc/cpuinfo, have a size of 0.
bool has_bytes(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) fail("open", path, errno, mend_for(errno));
  char byte;
  ssize_t got;
  do {
    got = ::read(file, &byte, 1);
  } while (got < 0 && errno == EINTR);
  const int error = errno;
  ::close(file);
  if (got < 0) fail("read", path, error, mend_for(error));
  return got > 0;
}

// What can't be read is found out now, before anything has been read or written.
void add_file(std::vector<FileSplit>& files, const std::string& path, std::uint64_t size) {
  if (::access(path.c_str(), R_OK) != 0) fail("open", path, errno, mend_for(errno));
  if (size == 0 && has_bytes(path)) size = kUnknownSize;
  if (size != 0) files.push_back({path, 0, size});
}

std::vector<FileSplit> split(const std::vector<FileSplit>& files, std::uint64_t largest,
                             std::uint64_t smallest, std::uint32_t parallelism) {
  // So many for each reader that one that is slow does not keep the others waiting for long.
  constexpr std::uint64_t kSplitsPerReader = 4;
  std::uint64_t bytes = 0;
  for (const FileSplit& file : files) bytes += file.end == kUnknownSize ? 0 : file.end;
  const std::uint64_t fair = bytes / (kSplitsPerReader * parallelism) + 1;
  const std::uint64_t size = std::min(std::max(fair, smallest), largest);
  std::vector<FileSplit> splits;
  for (const FileSplit& file : files) {
    if (file.end == kUnknownSize) {
      splits.push_back(file);
      continue;
    }
    for (std::uint64_t begin = 0; begin < file.end; begin += size) {
      splits.push_back({file.path, begin, std::min(file.end, begin + size)});
    }
  }
  return splits;
}

// Of what is not named: files that are still being written, and marks such as _SUCCESS.
bool is_left_out(std::string_view name) { return name.starts_with('.') || name.starts_with('_'); }

std::string_view name_in(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// Whether a name in it is left out where the pattern does not begin so itself.
bool is_left_out(std::string_view match, std::string_view pattern) {
  while (!match.empty()) {
    if (is_left_out(name_in(match)) && !is_left_out(name_in(pattern))) return true;
    const auto folder_of = [](std::string_view path) {
      const std::size_t end = path.rfind('/');
      return end == std::string_view::npos ? std::string_view() : path.substr(0, end);
    };
    match = folder_of(match);
    pattern = folder_of(pattern);
  }
  return false;
}

// What it matches: as a folder, it stands for no names that begin with . or _.
std::vector<std::string> matches_of(const std::string& pattern) {
  glob_t found{};
  const int result = ::glob(pattern.c_str(), GLOB_ERR, nullptr, &found);
  std::vector<std::string> matches(found.gl_pathv, found.gl_pathv + found.gl_pathc);
  ::globfree(&found);
  if (result == GLOB_ABORTED) {
    fail("list files for the pattern", pattern, EACCES, mend_for(EACCES));
  }
  std::erase_if(matches, [&](const std::string& match) { return is_left_out(match, pattern); });
  return matches;
}

bool is_folder(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) fail("read", path, errno, mend_for(errno));
  return S_ISDIR(info.st_mode);
}

// All that is in a folder is what the folder is: 'a/*' is 'a', 'a/*/*' the folders in 'a'.
std::vector<std::string> folders_of_pattern(const std::string& pattern) {
  const std::size_t end = pattern.rfind('/');
  const std::string parent = end == std::string::npos ? "."
                             : end == 0               ? "/"
                                                      : pattern.substr(0, end);
  std::vector<std::string> folders = matches_of(parent);
  std::erase_if(folders, [](const std::string& match) { return !is_folder(match); });
  if (folders.empty())
    throw Error("no folder matches '" + parent + "' of the pattern '" + pattern +
                "': check the pattern (it is matched where the job runs)");
  return folders;
}

std::vector<std::string> files_of_pattern(const std::string& pattern) {
  std::vector<std::string> files, folders;
  for (const std::string& match : matches_of(pattern))
    (is_folder(match) ? folders : files).push_back(match);
  if (!files.empty()) return files;
  if (!folders.empty()) {
    throw Error("no file matches '" + pattern + "', only folders such as '" + folders.front() +
                "': give a pattern of the files in them, such as '" + pattern + "/*'");
  }
  throw Error("no file matches '" + pattern +
              "': check the pattern (it is matched where the job runs)");
}

void add_folder(std::vector<FileSplit>& files, const std::string& folder) {
  DIR* dir = ::opendir(folder.c_str());
  if (!dir) fail("open the folder", folder, errno, mend_for(errno));
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir)) {
    if (!is_left_out(entry->d_name)) names.emplace_back(entry->d_name);
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  for (const std::string& name : names) {
    const std::string path = folder + (folder.ends_with('/') ? "" : "/") + name;
    struct stat info;
    if (::stat(path.c_str(), &info) != 0) fail("read", path, errno, mend_for(errno));
    if (S_ISREG(info.st_mode)) {
      add_file(files, path, static_cast<std::uint64_t>(info.st_size));
    }
  }
}

// Empty if it is gone.
std::string working_folder() {
  std::error_code unknown;
  return std::filesystem::current_path(unknown).native();
}

std::string behind(const std::string& folder, const std::string& path) {
  const bool is_relative =
      !path.empty() && path.front() != '/' && path.find("://") == std::string::npos;
  if (!is_relative || folder.empty()) return path;
  const std::string rest = path.starts_with("./") ? path.substr(2) : path;
  return folder + (folder.ends_with('/') ? "" : "/") + rest;
}

}  // namespace

std::string absolute_path(const std::string& path) { return behind(working_folder(), path); }

std::string absolute_pattern(const std::string& path) {
  if (path.find_first_of("*?[") == std::string::npos) return absolute_path(path);
  std::string folder;
  for (const char byte : working_folder()) {
    if (std::string_view("*?[\\").find(byte) != std::string_view::npos) folder += '\\';
    folder += byte;
  }
  return behind(folder, path);
}

SplitSizes split_sizes_of(const Configuration& configuration) {
  const MemorySize largest = configuration.get(options::kReadTextMaxSplitSize);
  const MemorySize smallest = configuration.get(options::kReadTextMinSplitSize);
  if (smallest.bytes() > largest.bytes()) {
    throw InvalidInput(options::kReadTextMinSplitSize.key() + " is " +
                       std::to_string(smallest.bytes()) + " bytes, which is above " +
                       options::kReadTextMaxSplitSize.key() + ", " +
                       std::to_string(largest.bytes()) + ": set it to less");
  }
  return {static_cast<std::uint64_t>(largest.bytes()),
          static_cast<std::uint64_t>(smallest.bytes())};
}

std::vector<FileSplit> splits_of(const std::string& path, std::uint64_t largest,
                                 std::uint64_t smallest, std::uint32_t parallelism) {
  std::vector<FileSplit> files;
  std::vector<std::string> matches;
  struct stat info;
  if (::stat(path.c_str(), &info) == 0) {
    matches.push_back(path);
  } else {
    const int error = errno;
    if (path.find_first_of("*?[") == std::string::npos) {
      fail("read", path, error, mend_for(error));
    }
    matches = name_in(path) == "*" ? folders_of_pattern(path) : files_of_pattern(path);
  }
  for (const std::string& match : matches) {
    if (::stat(match.c_str(), &info) != 0) fail("read", match, errno, mend_for(errno));
    if (S_ISDIR(info.st_mode)) {
      add_folder(files, match);
    } else if (S_ISREG(info.st_mode)) {
      add_file(files, match, static_cast<std::uint64_t>(info.st_size));
    } else {
      throw Error("can't read '" + match +
                  "': it is neither a file nor a folder: name a file, a "
                  "folder or a pattern");
    }
  }
  return split(files, largest, smallest, parallelism);
}

}  // namespace freshet::detail
