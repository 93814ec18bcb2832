#include "process/rolled_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "posix/file_io.h"

namespace freshet::core {
namespace {

constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kTailLines = 20;
// Changes between output and errors in one file: it is full after so many.
constexpr std::size_t kMostTurns = std::size_t{1} << 18;

std::uint64_t size_of(const std::filesystem::path& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

std::string read_part(const std::filesystem::path& path, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return {};
  const ssize_t got = read_at(file.get(), offset, text.data(), size);
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

std::string last_lines_of(const std::string& text) {
  std::size_t begin = text.size();
  for (std::size_t lines = 0; begin > 0; --begin) {
    if (text[begin - 1] == '\n' && begin != text.size() && ++lines == kTailLines) break;
  }
  return text.substr(begin);
}

}  // namespace

RolledLog::RolledLog(std::filesystem::path folder, std::string name, std::uint64_t max_bytes)
    : folder_(std::move(folder)),
      name_(std::move(name)),
      max_bytes_(std::max<std::uint64_t>(max_bytes, kTailBytes)) {
  previous_.size = current_.begin = size_of(previous());
  current_.size = size_of(current());
  end_ = current_.begin + current_.size;
}

RolledLog::~RolledLog() = default;

std::filesystem::path RolledLog::current() const { return folder_ / (name_ + ".log"); }
std::filesystem::path RolledLog::previous() const { return folder_ / (name_ + ".log.1"); }

void RolledLog::open() {
  file_ = Descriptor(
      ::open(current().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file_.get() < 0 || !takes_streams_) return;
  ::dup2(file_.get(), STDOUT_FILENO);
  ::dup2(file_.get(), STDERR_FILENO);
}

void RolledLog::roll() {
  if (::rename(current().c_str(), previous().c_str()) != 0) {
    // Better no past than a full disk.
    if (file_.get() >= 0 && ::ftruncate(file_.get(), 0) != 0) ::unlink(current().c_str());
  }
  previous_ = std::exchange(current_, {end_, 0, {}});
  lost_ = false;
  file_.close();
  open();
}

void RolledLog::lose(std::uint64_t bytes) {
  end_ += bytes;
  lost_ = true;
}

void RolledLog::turn_to(bool errors) {
  if ((current_.turns.size() % 2 == 1) != errors) current_.turns.push_back(end_);
}

void RolledLog::append(std::string_view text, bool errors) {
  if (text.empty()) return;
  const std::lock_guard lock(mutex_);
  tail_ += text.substr(text.size() - std::min(text.size(), kTailBytes));
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);

  if (file_.get() < 0) open();
  while (!text.empty()) {
    if (file_.get() < 0) return lose(text.size());
    // What the process itself printed beside it counts, too.
    if (takes_streams_) {
      current_.size = std::max(current_.size, size_of(current()));
      end_ = std::max(end_, current_.begin + current_.size);
    }
    if (current_.size >= max_bytes_ || current_.turns.size() >= kMostTurns ||
        (lost_ && current_.size > 0)) {
      roll();
      continue;
    }
    if (std::exchange(lost_, false)) current_.begin = end_;
    turn_to(errors);
    const auto room = static_cast<std::size_t>(max_bytes_ - current_.size);
    const ssize_t wrote = ::write(file_.get(), text.data(), std::min(room, text.size()));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return lose(text.size());  // a log never stops a process
    current_.size += static_cast<std::uint64_t>(wrote);
    end_ += static_cast<std::uint64_t>(wrote);
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

LogText RolledLog::read_from(const File& file, const std::filesystem::path& path,
                             std::uint64_t size, std::uint64_t from, std::size_t max_bytes) const {
  LogText found;
  const std::uint64_t end = file.begin + size;
  if (from >= end) return found;
  found.text = read_part(path, from - file.begin,
                         static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, end - from)));
  found.next = from + found.text.size();
  auto turn = std::upper_bound(file.turns.begin(), file.turns.end(), from);
  bool errors = (turn - file.turns.begin()) % 2 == 1;
  for (std::uint64_t at = from; at < found.next; errors = !errors) {
    const std::uint64_t to = turn == file.turns.end() ? found.next : std::min(*turn++, found.next);
    if (errors) found.errors.emplace_back(at - from, to - from);
    at = to;
  }
  return found;
}

LogText RolledLog::read(std::uint64_t from, std::size_t max_bytes) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t size =
      takes_streams_ ? std::max(current_.size, size_of(current())) : current_.size;
  const std::uint64_t end = std::max(end_, current_.begin + size);
  const std::uint64_t begin = std::min(std::max(from, previous_.begin), end);
  // A file is shorter than it was if somebody has cut it: then its rest is gone.
  LogText found = read_from(previous_, previous(), previous_.size, begin, max_bytes);
  if (found.text.empty())
    found = read_from(current_, current(), size, std::max(begin, current_.begin), max_bytes);
  if (found.text.empty()) found.next = end;
  return found;
}

std::string RolledLog::last_lines() const {
  const std::lock_guard lock(mutex_);
  return last_lines_of(tail_);
}

std::string last_lines_of_file(const std::filesystem::path& file, std::uint64_t from) {
  const std::uint64_t size = size_of(file);
  const std::uint64_t tail = size > kTailBytes ? size - kTailBytes : 0;
  const std::uint64_t begin = from <= size ? std::max(tail, from) : tail;
  return last_lines_of(read_part(file, begin, static_cast<std::size_t>(size - begin)));
}

void RolledLog::take_standard_streams() {
  const std::lock_guard lock(mutex_);
  takes_streams_ = true;
  file_.close();
  open();
}

void RolledLog::close() {
  const std::lock_guard lock(mutex_);
  file_.close();
}

void RolledLog::remove() {
  const std::lock_guard lock(mutex_);
  file_.close();
  ::unlink(current().c_str());
  ::unlink(previous().c_str());
}

}  // namespace freshet::core
