#include "client/cluster_presence.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "freshet/error.h"
#include "task/clock.h"

namespace freshet {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kDeploymentMs = 60'000;

fs::path lock_path(const StateFolder& folder, const std::string& id) {
  return folder.run(id) / "alive";
}

// Whether the file of that name is still the one that was opened.
bool is_current(int file, const fs::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(file, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

void remove_files(const ClusterRecords& records, const std::string& id) {
  std::error_code ignored;
  fs::remove_all(records.folder().sockets(id), ignored);
  records.remove(id);
  fs::remove_all(records.folder().run(id), ignored);
}

}  // namespace

ClusterPresence::ClusterPresence(const ClusterRecords& records, std::string cluster_id)
    : records_(records), id_(std::move(cluster_id)) {
  // Somebody may be removing the folder: then another one is made.
  for (int attempt = 0; attempt < 100; ++attempt) {
    records_.folder().make_run(id_);
    const fs::path path = lock_path(records_.folder(), id_);
    lock_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (lock_ >= 0 && ::flock(lock_, LOCK_SH) == 0 && is_current(lock_, path)) return;
    if (lock_ >= 0) ::close(lock_);
    lock_ = -1;
  }
  throw InvalidInput(lock_path(records_.folder(), id_).native() + ": can't be locked: " +
                     std::strerror(errno) + ": its file system must have locks");
}

ClusterPresence::~ClusterPresence() {
  if (lock_ < 0) return;
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) remove_files(records_, id_);
  ::close(lock_);
}

bool is_present(const StateFolder& folder, const std::string& cluster_id) {
  const int lock = ::open(lock_path(folder, cluster_id).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0) return false;
  const bool locked = ::flock(lock, LOCK_EX | LOCK_NB) != 0;
  ::close(lock);
  return locked;
}

bool remove_remains(const ClusterRecords& records, const std::string& cluster_id) {
  const fs::path path = lock_path(records.folder(), cluster_id);
  const int lock = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0) {
    remove_files(records, cluster_id);
    return true;
  }
  const bool alone = ::flock(lock, LOCK_EX | LOCK_NB) == 0;
  if (alone && is_current(lock, path)) remove_files(records, cluster_id);
  ::close(lock);
  return alone;
}

void remove_all_remains(const ClusterRecords& records) {
  std::error_code ignored;
  for (auto at = fs::directory_iterator(records.folder().runs(), ignored);
       at != fs::directory_iterator(); at.increment(ignored)) {
    const std::string id = at->path().filename();
    if (fs::exists(lock_path(records.folder(), id), ignored)) remove_remains(records, id);
  }
  // Clusters of this host, whose deployment was killed before their first process lived.
  for (const ClusterRecord& record : records.all()) {
    if (record.endpoint.empty() && !fs::exists(records.folder().run(record.cluster_id), ignored) &&
        record.since_ms + kDeploymentMs < SystemClock::instance().wall_ms())
      records.remove(record.cluster_id);
  }
}

}  // namespace freshet
