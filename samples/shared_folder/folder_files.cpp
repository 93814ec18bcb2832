#include "folder_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

namespace shared_folder {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail(const fs::path& path, int error) {
  throw freshet::StoreUnavailable(path.native() + ": " + std::strerror(error) +
                                  ": see to the folder of shared-folder.path");
}

int open_lock(const fs::path& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) fail(path, errno);
  return file;
}

// Whether that descriptor is the file of that name.
bool is_at(int file, const fs::path& path) {
  struct stat held {
  }, there{};
  return ::fstat(file, &held) == 0 && ::stat(path.c_str(), &there) == 0 &&
         held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

std::optional<std::string> content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    if (errno == ENOENT) return std::nullopt;
    fail(path, errno);
  }
  std::ostringstream text;
  text << file.rdbuf();
  if (file.bad()) fail(path, EIO);
  return text.str();
}

void sync_folder(const fs::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail(path, errno);
  ::fsync(folder);
  ::close(folder);
}

}  // namespace

// A grant or a write under way.
class Folder::Writing {
 public:
  explicit Writing(const fs::path& folder) : file_(open_lock(folder / "writing")) {
    while (::flock(file_, LOCK_EX) != 0) {
      if (errno == EINTR) continue;
      const int error = errno;
      ::close(file_);
      fail(folder / "writing", error);
    }
  }
  ~Writing() { ::close(file_); }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;

 private:
  const int file_;
};

Folder::Folder(fs::path path) : path_(std::move(path)) {}
Folder::~Folder() {
  if (lock_ >= 0) ::close(lock_);
}

std::optional<std::uint64_t> Folder::try_to_lead() {
  std::error_code error;
  for (const char* kind : {"graphs", "results"}) {
    fs::create_directories(path_ / kind, error);
    if (error) fail(path_ / kind, error.value());
  }
  const fs::path lock = path_ / "lock";
  const int file = open_lock(lock);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0 || !is_at(file, lock)) {
    ::close(file);
    return std::nullopt;
  }
  try {
    const Writing writing(path_);
    const std::uint64_t term = last_term() + 1;
    replace(path_ / "term", std::to_string(term));
    fs::remove(path_ / "leader", error);
    lock_ = file;
    return term;
  } catch (...) {
    ::close(file);
    throw;
  }
}

bool Folder::still_leads() const { return lock_ >= 0 && is_at(lock_, path_ / "lock"); }

void Folder::give_up() {
  if (lock_ < 0) return;
  std::error_code ignored;
  if (still_leads()) fs::remove(path_ / "leader", ignored);
  ::close(lock_);
  lock_ = -1;
}

// ---- where the leader is ------------------------------------------------------------------------

void Folder::publish(const freshet::LeaderAddress& address) {
  const Writing writing(path_);
  check(address.term);
  replace(path_ / "leader", std::to_string(address.term) + "\n" + address.endpoint + "\n" +
                                address.public_key + "\n" + address.candidate + "\n");
}

freshet::LeaderAddress Folder::leader() const {
  freshet::LeaderAddress address;
  std::istringstream text(content(path_ / "leader").value_or(""));
  text >> address.term >> address.endpoint >> address.public_key;
  text.ignore();
  std::getline(text, address.candidate);
  return text ? address : freshet::LeaderAddress{};
}

// ---- what is kept -------------------------------------------------------------------------------

void Folder::put(std::uint64_t term, const std::string& kind, const std::string& job_id,
                 const std::string& bytes) {
  const Writing writing(path_);
  check(term);
  replace(path_ / kind / job_id, bytes);
}

void Folder::remove(std::uint64_t term, const std::string& kind, const std::string& job_id) {
  const Writing writing(path_);
  check(term);
  std::error_code error;
  fs::remove(path_ / kind / job_id, error);
  if (error) fail(path_ / kind / job_id, error.value());
  sync_folder(path_ / kind);
}

std::vector<std::string> Folder::ids(const std::string& kind) const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator each(path_ / kind, error), end; !error && each != end;
       each.increment(error)) {
    // What begins with a dot is on its way.
    if (const std::string name = each->path().filename(); name[0] != '.') names.push_back(name);
  }
  if (error && error.value() != ENOENT) fail(path_ / kind, error.value());
  return names;
}

std::optional<std::string> Folder::get(const std::string& kind, const std::string& job_id) const {
  return content(path_ / kind / job_id);
}

std::uint64_t Folder::last_term() const {
  std::istringstream text(content(path_ / "term").value_or("0"));
  std::uint64_t term = 0;
  if (!(text >> term)) {
    throw freshet::StoreUnavailable((path_ / "term").native() +
                                    " is no number: it is greater by 1 with each leadership, write "
                                    "one that is above all before");
  }
  return term;
}

// Within a Writing.
void Folder::check(std::uint64_t term) const {
  const std::uint64_t last = last_term();
  if (term == last) return;
  throw freshet::LeadershipLost("term " + std::to_string(term) + " is over: term " +
                                std::to_string(last) + " was granted since in " + path_.native());
}

// Whole or not at all, and on the disk when it returns.
void Folder::replace(const fs::path& file, const std::string& bytes) const {
  const fs::path part = file.parent_path() / ("." + file.filename().native() + ".part");
  const int out = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) fail(part, errno);
  std::string_view rest = bytes;
  int error = 0;
  while (!rest.empty() && error == 0) {
    const ssize_t wrote = ::write(out, rest.data(), rest.size());
    if (wrote >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(wrote));
    } else if (errno != EINTR) {
      error = errno;
    }
  }
  if (error == 0 && ::fsync(out) != 0) error = errno;
  ::close(out);
  if (error == 0 && ::rename(part.c_str(), file.c_str()) != 0) error = errno;
  if (error != 0) fail(part, error);
  sync_folder(file.parent_path());
}

}  // namespace shared_folder
