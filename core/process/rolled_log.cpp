#include "process/rolled_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace freshet {
namespace {

constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kTailLines = 20;

std::uint64_t size_of(const std::filesystem::path& file) {
  struct stat facts {};
  return ::stat(file.c_str(), &facts) == 0 ? static_cast<std::uint64_t>(facts.st_size) : 0;
}

std::string read_part(const std::filesystem::path& path, std::uint64_t offset, std::size_t size) {
  std::string text(size, '\0');
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return {};
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got =
        ::pread(file, text.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  ::close(file);
  text.resize(done);
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
  current_begin_ = size_of(previous());
  end_ = current_begin_ + size_of(current());
}

RolledLog::~RolledLog() {
  if (file_ >= 0) ::close(file_);
}

std::filesystem::path RolledLog::current() const { return folder_ / (name_ + ".log"); }
std::filesystem::path RolledLog::previous() const { return folder_ / (name_ + ".log.1"); }

void RolledLog::open() {
  file_ = ::open(current().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file_ < 0 || !takes_streams_) return;
  ::dup2(file_, STDOUT_FILENO);
  ::dup2(file_, STDERR_FILENO);
}

void RolledLog::roll() {
  if (::rename(current().c_str(), previous().c_str()) != 0) {
    // Better no past than a full disk.
    if (file_ >= 0 && ::ftruncate(file_, 0) != 0) ::unlink(current().c_str());
  }
  previous_begin_ = current_begin_;
  current_begin_ = end_;
  if (file_ >= 0) ::close(file_);
  open();
}

void RolledLog::append(std::string_view text) {
  if (text.empty()) return;
  const std::lock_guard lock(mutex_);
  tail_ += text.substr(text.size() - std::min(text.size(), kTailBytes));
  if (tail_.size() > kTailBytes) tail_.erase(0, tail_.size() - kTailBytes);

  if (file_ < 0) open();
  if (file_ < 0) {
    end_ += text.size();
    return;
  }
  while (!text.empty()) {
    // What the process itself printed beside it counts, too.
    if (takes_streams_) end_ = std::max(end_, current_begin_ + size_of(current()));
    if (end_ - current_begin_ >= max_bytes_) {
      roll();
      if (file_ < 0) return;
    }
    const std::size_t room = static_cast<std::size_t>(max_bytes_ - (end_ - current_begin_));
    const ssize_t wrote = ::write(file_, text.data(), std::min(room, text.size()));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return;  // dropped: a log never stops a process
    end_ += static_cast<std::uint64_t>(wrote);
    text.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

LogText RolledLog::read(std::uint64_t from, std::size_t max_bytes) const {
  const std::lock_guard lock(mutex_);
  const std::uint64_t end =
      takes_streams_ ? std::max(end_, current_begin_ + size_of(current())) : end_;
  LogText found;
  found.next = std::min(std::max(from, previous_begin_), end);
  if (found.next < current_begin_) {
    found.text = read_part(
        previous(), found.next - previous_begin_,
        static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, current_begin_ - found.next)));
    // Shorter than it was if somebody has cut it: then its rest is gone.
    found.next = found.text.empty() ? current_begin_ : found.next + found.text.size();
    if (!found.text.empty()) return found;
  }
  found.text =
      read_part(current(), found.next - current_begin_,
                static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, end - found.next)));
  found.next = found.text.empty() ? end : found.next + found.text.size();
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
  if (file_ >= 0) ::close(file_);
  open();
}

void RolledLog::close() {
  const std::lock_guard lock(mutex_);
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

void RolledLog::remove() {
  const std::lock_guard lock(mutex_);
  if (file_ >= 0) ::close(file_);
  file_ = -1;
  ::unlink(current().c_str());
  ::unlink(previous().c_str());
}

}  // namespace freshet
