#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "freshet/await.h"
#include "freshet/error.h"
#include "freshet/stages/sink.h"

namespace freshet::detail {

namespace {

// Writes all or throws Error; `what` names the file.
void write_all(int file, std::string_view text, const std::string& what) {
  while (!text.empty()) {
    const ssize_t n = ::write(file, text.data(), text.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN) {  // of a pipe that whoever made it wanted never to block
        pollfd writable{file, POLLOUT, 0};
        static_cast<void>(::poll(&writable, 1, -1));
        continue;
      }
      throw Error("can't write to " + what + ": " + std::strerror(errno) +
                  (errno == ENOSPC ? ": free some space or choose another place"
                                   : ": check that it can still be written"));
    }
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

// What a pipe takes in one piece, and takes without waiting once it says that it is writable.
constexpr std::size_t kPiece = 4096;  // PIPE_BUF

// How many bytes of `text` are whole lines of at most a piece together; its first line if that is
// longer. `text` ends with a line's end.
std::size_t piece_of(std::string_view text) {
  if (text.size() <= kPiece) return text.size();
  const std::size_t last = text.rfind('\n', kPiece - 1);
  return (last == text.npos ? text.find('\n') : last) + 1;
}

// Waits (the fiber, not the thread) until the standard output takes a piece. Throws Canceled.
void wait_for_output() {
  const auto is_full = [](int timeout_ms) {
    pollfd output{STDOUT_FILENO, POLLOUT, 0};
    return ::poll(&output, 1, timeout_ms) == 0;
  };
  if (!is_full(0)) return;
  while (await([&] { return is_full(100); })) {
  }
}

std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  DIR* dir = ::opendir(folder.c_str());
  if (!dir) return names;
  while (const dirent* entry = ::readdir(dir)) names.emplace_back(entry->d_name);
  ::closedir(dir);
  return names;
}

void make_folders(const std::string& folder) {
  for (std::size_t at = 1; at <= folder.size(); ++at) {
    if (at != folder.size() && folder[at] != '/') continue;
    const std::string part = folder.substr(0, at);
    if (::mkdir(part.c_str(), 0777) == 0 || errno == EEXIST) continue;
    throw Error("can't make the output folder '" + part + "': " + std::strerror(errno) +
                ": choose a place that this user can write to");
  }
}

// Parts are locked as long as their process lives: one that is not is a lost attempt's, which
// nobody will ever complete.
void remove_unlocked(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return;
  if (::flock(file, LOCK_EX | LOCK_NB) == 0) ::unlink(path.c_str());
  ::close(file);
}

// Creates it locked, where the file system has locks; negative with errno if it can't be created.
int create_locked(const std::string& path) {
  for (;;) {
    const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0) return file;
    const bool others = ::flock(file, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    struct stat info;
    if (!others && ::fstat(file, &info) == 0 && info.st_nlink > 0) return file;
    ::close(file);  // somebody took it for a lost one, between the two calls
  }
}

}  // namespace

void LinePrinter::open(RuntimeContext& context) {
  if (context.parallelism() > 1) prefix_ = std::to_string(context.subtask_index() + 1) + "> ";
}
std::string& LinePrinter::line() {
  text_ += prefix_;
  return text_;
}
void LinePrinter::end_line() {
  text_.push_back('\n');
  if (text_.size() > 16 * 1024) flush();
}
void LinePrinter::flush() {
  if (text_.empty()) return;
  const std::string text = std::move(text_);
  text_.clear();
  // What main printed through stdio comes first.
  std::fflush(stdout);
  // One call for each piece keeps lines whole among subtasks.
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view piece = rest.substr(0, piece_of(rest));
    const auto write = [piece] { write_all(STDOUT_FILENO, piece, "the standard output"); };
    if (piece.size() > kPiece) {
      await(write);
    } else {
      wait_for_output();
      write();
    }
    rest.remove_prefix(piece.size());
  }
}

TextPart::TextPart(std::string folder) : folder_(std::move(folder)) {}
TextPart::~TextPart() { abandon(); }
TextPart::TextPart(TextPart&& other) noexcept
    : folder_(std::move(other.folder_)),
      hidden_(std::move(other.hidden_)),
      final_(std::move(other.final_)),
      text_(std::move(other.text_)),
      file_(std::exchange(other.file_, -1)) {}

void TextPart::open(RuntimeContext& context) {
  make_folders(folder_);
  struct stat info;
  if (::stat(folder_.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    throw Error("can't write parts to '" + folder_ + "': it is no folder: name a folder");
  }
  const std::string name = "part-" + std::to_string(context.subtask_index());
  const std::string mark = ".inprogress-" + std::to_string(::getpid()) + "-";
  const std::string mine = mark + context.operator_id().substr(0, 12);
  final_ = folder_ + "/" + name;
  hidden_ = folder_ + "/." + name + mine;
  remove_unlocked(hidden_);  // of a process that had the number of this one
  file_ = create_locked(hidden_);
  if (file_ < 0) {
    const int error = errno;
    const std::string file = std::exchange(hidden_, {});
    throw Error("can't create '" + file + "': " + std::strerror(error) +
                ": choose a place that this user can write to");
  }
  // Every task opens before any of them commits, so a part that is there is another job's.
  for (const std::string& other : names_in(folder_)) {
    if (other.starts_with("." + name + ".inprogress-") && other.find(mark) == std::string::npos) {
      remove_unlocked(folder_ + "/" + other);
    }
    if (other.starts_with("part-")) {
      throw Error("the output folder '" + folder_ + "' holds '" + other +
                  "' of another job: remove it or choose another folder");
    }
    if (other.find(mark) != std::string::npos && !other.ends_with(mine)) {
      throw Error("two sinks of this job write to the folder '" + folder_ + "', '" +
                  context.operator_name() + "' is one of them: give each a folder of its own");
    }
  }
}

void TextPart::write_out() {
  write_all(file_, text_, "'" + hidden_ + "'");
  text_.clear();
}

void TextPart::complete() {
  write_out();
  // A full disk may only say so when a descriptor is closed; the other one keeps the lock.
  const int file = ::dup(file_);
  if (file < 0 || ::close(file) != 0) {
    throw Error("can't write to '" + hidden_ + "': " + std::strerror(errno) +
                ": free some space or choose another place");
  }
}

void TextPart::commit() {
  if (::rename(hidden_.c_str(), final_.c_str()) != 0) {
    throw Error("can't rename '" + hidden_ + "' to '" + final_ + "': " + std::strerror(errno) +
                ": check that the folder is still there");
  }
  hidden_.clear();
  ::close(std::exchange(file_, -1));
}

void TextPart::abandon() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  if (!hidden_.empty()) ::unlink(hidden_.c_str());
  hidden_.clear();
}

}  // namespace freshet::detail
