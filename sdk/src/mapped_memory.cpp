#include "freshet/detail/mapped_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "freshet/plugin/build_tag.h"

namespace freshet::detail {
namespace {

std::string read_whole(const char* path) {
  std::string text;
  const int file = ::open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return text;
  char buffer[16384];
  for (ssize_t got = 0; (got = ::read(file, buffer, sizeof buffer)) > 0;)
    text.append(buffer, static_cast<std::size_t>(got));
  ::close(file);
  return text;
}

// "7f00-7f01 r-xp 00000000 fe:01 123    /path with spaces"
bool parse_line(std::string_view line, MappedMemory::Range& range) {
  const char* const end = line.data() + line.size();
  auto [after_begin, bad_begin] = std::from_chars(line.data(), end, range.begin, 16);
  if (bad_begin != std::errc() || after_begin == end || *after_begin != '-') return false;
  auto [after_end, bad_end] = std::from_chars(after_begin + 1, end, range.end, 16);
  if (bad_end != std::errc() || end - after_end < 2 || after_end[1] != 'r') return false;

  std::string_view rest(after_end, static_cast<std::size_t>(end - after_end));
  for (int field = 0; field < 4; ++field) {  // permissions, offset, device, inode
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
  }
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  range.description = rest.empty() ? "anonymous memory" : std::string(rest);
  return rest != "[vsyscall]";
}

// Where the sanitizers of x86-64 keep their books. It is mapped, but nothing that a program holds
// points there, and times in milliseconds would.
bool is_shadow(const MappedMemory::Range& range) {
  constexpr std::string_view kSanitizer = FRESHET_DETAIL_SANITIZER;
  if (kSanitizer == "address") return 0x7fff8000 <= range.begin && range.begin < 0x10007fff8000;
  if (kSanitizer == "thread") return 0x010000000000 <= range.begin && range.begin < 0x550000000000;
  return false;
}

}  // namespace

MappedMemory MappedMemory::snapshot() {
  MappedMemory memory = from_text(read_whole("/proc/self/maps"));
  std::erase_if(memory.ranges_, is_shadow);
  return memory;
}

MappedMemory MappedMemory::from_text(const std::string& maps) {
  MappedMemory memory;
  std::string_view rest = maps;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    Range range;
    if (parse_line(rest.substr(0, end), range)) memory.ranges_.push_back(std::move(range));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return memory;
}

const MappedMemory::Range* MappedMemory::find(std::uintptr_t address) const {
  const auto after =
      std::upper_bound(ranges_.begin(), ranges_.end(), address,
                       [](std::uintptr_t a, const Range& range) { return a < range.begin; });
  if (after == ranges_.begin() || address >= std::prev(after)->end) return nullptr;
  return &*std::prev(after);
}

}  // namespace freshet::detail
