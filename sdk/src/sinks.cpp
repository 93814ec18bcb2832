#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "freshet/await.h"
#include "freshet/error.h"
#include "freshet/sink.h"
#include "freshet/text_files.h"

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

// Whether what is written there waits for a reader: a pipe, a socket, or what must not block.
bool waits_for_reader(int file) {
  struct stat info;
  if (::fstat(file, &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))) return true;
  const int flags = ::fcntl(file, F_GETFL);
  return flags >= 0 && (flags & O_NONBLOCK) != 0;
}

// What a pipe takes in one piece, and takes without waiting once it says that it is writable.
constexpr std::size_t kPiece = 4096;  // PIPE_BUF

constexpr const char* kOutput = "the standard output";

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

bool is_locked(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return false;
  const bool locked = ::flock(file, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  ::close(file);
  return locked;
}

// One at a time, where the file system locks folders.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder)
      : folder_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    while (folder_ >= 0 && ::flock(folder_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FolderLock() {
    if (folder_ >= 0) ::close(folder_);
  }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  const int folder_;
};

// What the name of a part says that is not visible yet: ".part-N.STAGE-JOB-SINK-RANDOM".
struct HiddenName {
  std::string part, stage, job, sink;
};

std::string hidden_name(const HiddenName& name) {
  return "." + name.part + "." + name.stage + "-" + name.job + "-" + name.sink;
}

std::optional<HiddenName> read_hidden_name(const std::string& name) {
  if (!name.starts_with(".part-")) return std::nullopt;
  const std::size_t dot = name.find('.', 1);
  if (dot == std::string::npos) return std::nullopt;
  std::vector<std::string> fields;
  for (std::size_t at = dot + 1; at <= name.size();) {
    const std::size_t end = std::min(name.find('-', at), name.size());
    fields.push_back(name.substr(at, end - at));
    at = end + 1;
  }
  if (fields.size() < 3 || (fields[0] != "inprogress" && fields[0] != "prepared")) {
    return std::nullopt;
  }
  return HiddenName{name.substr(1, dot - 1), fields[0], fields[1], fields[2]};
}

// Fit to be a field of such a name.
std::string plain(std::string text) {
  for (char& c : text) {
    if (c == '-' || c == '/' || c == '.') c = '_';
  }
  return text;
}

std::string random_text() {
  std::uint32_t number = 0;
  while (::getrandom(&number, sizeof number, 0) != sizeof number) {
  }
  char text[16];
  std::snprintf(text, sizeof text, "%08x", number);
  return text;
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
  if (!waits_for_reader(STDOUT_FILENO)) return write_all(STDOUT_FILENO, text, kOutput);
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view piece = rest.substr(0, piece_of(rest));
    const auto write = [piece] { write_all(STDOUT_FILENO, piece, kOutput); };
    if (piece.size() > kPiece) {
      await(write);
    } else {
      wait_for_output();
      write();
    }
    rest.remove_prefix(piece.size());
  }
}

TextPart::TextPart(std::string folder) : folder_(absolute_path(folder)) {}
TextPart::~TextPart() { abandon(); }
TextPart::TextPart(TextPart&& other) noexcept
    : folder_(std::move(other.folder_)),
      hidden_(std::exchange(other.hidden_, {})),
      part_(std::move(other.part_)),
      text_(std::move(other.text_)),
      file_(std::exchange(other.file_, -1)) {}

void TextPart::open(RuntimeContext& context) {
  make_folders(folder_);
  struct stat info;
  if (::stat(folder_.c_str(), &info) != 0 || !S_ISDIR(info.st_mode)) {
    throw Error("can't write parts to '" + folder_ + "': it is no folder: name a folder");
  }
  part_ = "part-" + std::to_string(context.subtask_index());
  const std::string job = plain(context.job_id());
  const std::string sink = plain(context.operator_id()).substr(0, 12);
  hidden_ = folder_ + "/" + hidden_name({part_, "inprogress", job, sink}) + "-" + random_text();
  // Who opens a part sees all that were opened before, and is seen by all that follow.
  const FolderLock lock(folder_);
  file_ = create_locked(hidden_);
  if (file_ < 0) {
    const int error = errno;
    const std::string file = std::exchange(hidden_, {});
    throw Error("can't create '" + file + "': " + std::strerror(error) +
                ": choose a place that this user can write to");
  }
  try {
    check_claim(job, sink, context.operator_name());
  } catch (...) {
    abandon();
    throw;
  }
}

// Every task opens before any of them commits, so a part that is there is another job's.
void TextPart::check_claim(const std::string& job, const std::string& sink,
                           const std::string& operator_name) {
  for (const std::string& name : names_in(folder_)) {
    const std::string path = folder_ + "/" + name;
    if (name.starts_with("part-")) {
      throw Error("the output folder '" + folder_ + "' holds '" + name +
                  "' of another job: remove it or choose another folder");
    }
    const std::optional<HiddenName> other = read_hidden_name(name);
    if (!other || path == hidden_) continue;
    const bool same_job = other->job == job;
    if (other->stage == "prepared") {
      // An earlier attempt of this job did not come to its commit, else there were no other one.
      if (same_job && other->part == part_) ::unlink(path.c_str());
      if (same_job) continue;
      throw Error("the output folder '" + folder_ + "' holds '" + name +
                  "', which another job has prepared and may still commit: wait for the end of "
                  "that job, or if it has ended remove the file, or choose another folder");
    }
    if (!is_locked(path)) {
      if (other->part == part_) remove_unlocked(path);
    } else if (!same_job) {
      throw Error("another job writes to the output folder '" + folder_ + "' just now, to '" +
                  name + "': choose another folder");
    } else if (other->sink != sink) {
      throw Error("two sinks of this job write to the folder '" + folder_ + "', '" + operator_name +
                  "' is one of them: give each a folder of its own");
    }
  }
}

void TextPart::write_out() {
  write_all(file_, text_, "'" + hidden_ + "'");
  text_.clear();
}

// Forced to disk here, where other tasks need not wait for it; prepare() then finds it done. The
// system reports what went wrong to this descriptor, once.
void TextPart::complete() {
  write_out();
  int error = await([this] { return ::fsync(file_) == 0 ? 0 : errno; });
  if (error == EINVAL || error == ENOTSUP || error == EROFS) error = 0;  // it does not force
  // A full disk may only say so when a descriptor is closed; the other one keeps the lock.
  if (error == 0) {
    const int file = ::dup(file_);
    if (file < 0 || ::close(file) != 0) error = errno;
  }
  if (error == 0) return;
  throw Error("can't write to '" + hidden_ + "': " + std::strerror(error) +
              ": check the disk, free some space or choose another place");
}

PreparedFile TextPart::prepare() {
  const std::string stage = ".inprogress-";
  std::string prepared = hidden_;
  prepared.replace(prepared.rfind(stage), stage.size(), ".prepared-");
  if (::rename(hidden_.c_str(), prepared.c_str()) != 0) {
    throw Error("can't rename '" + hidden_ + "' to '" + prepared + "': " + std::strerror(errno) +
                ": check that the folder is still there");
  }
  hidden_ = prepared;  // abandon() removes it if it can't be handed over
  PreparedFile file = PreparedFile::of(prepared, folder_ + "/" + part_);
  hidden_.clear();
  return file;
}

void TextPart::abandon() {
  if (file_ >= 0) ::close(std::exchange(file_, -1));
  if (!hidden_.empty()) ::unlink(hidden_.c_str());
  hidden_.clear();
}

}  // namespace freshet::detail
