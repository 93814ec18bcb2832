#include "host/cluster_presence.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "freshet/error.h"
#include "process/control_group.h"

namespace freshet::core {
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

// Makes it with its lock held from the first moment on: one that is there and unlocked is left
// over. Negative: somebody else has made it meanwhile, or it can't be made.
int make_locked(const fs::path& path) {
  const std::string made = path.native() + "." + std::to_string(::getpid());
  ::unlink(made.c_str());
  const int lock = ::open(made.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0) return lock;
  const bool named = ::flock(lock, LOCK_SH) == 0 && ::link(made.c_str(), path.c_str()) == 0;
  const int why = errno;
  ::unlink(made.c_str());
  if (named) return lock;
  ::close(lock);
  errno = why;
  return -1;
}

// Its deployer has written the record, and its first process is not there yet.
bool is_being_deployed(const ClusterRecords& records, const ClusterRecord& record) {
  return record.endpoint.empty() && record.since_ms + kDeploymentMs >= records.clock().wall_ms();
}

enum class OfRecord { kRemove, kKeepIfBeingDeployed };

void remove_files(const ClusterRecords& records, const std::string& id, OfRecord of_record) {
  std::error_code ignored;
  fs::remove_all(records.folder().sockets(id), ignored);
  // Not looked at if it is to go: one that must not be read goes, too.
  const auto record = of_record == OfRecord::kRemove ? std::nullopt : records.find(id);
  if (!record || !is_being_deployed(records, *record)) records.remove(id);
  fs::remove_all(records.folder().run(id), ignored);
}

}  // namespace

ClusterPresence::ClusterPresence(const ClusterRecords& records, std::string cluster_id)
    : records_(records), id_(std::move(cluster_id)) {
  // Somebody may be removing the folder: then another one is made.
  for (int attempt = 0; attempt < 100; ++attempt) {
    records_.folder().make_run(id_);
    const fs::path path = lock_path(records_.folder(), id_);
    lock_ = make_locked(path);
    if (lock_ >= 0) return;
    if (errno == EEXIST) lock_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (lock_ >= 0 && ::flock(lock_, LOCK_SH) == 0 && is_current(lock_, path)) return;
    if (lock_ >= 0) ::close(lock_);
    lock_ = -1;
  }
  throw InvalidInput(lock_path(records_.folder(), id_).native() + ": can't be locked: " +
                     std::strerror(errno) + ": its file system must have locks");
}

ClusterPresence::~ClusterPresence() {
  if (lock_ < 0) return;
  if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) remove_files(records_, id_, OfRecord::kRemove);
  ::close(lock_);
}

ServingJobManager::ServingJobManager(const ClusterRecords& records, const std::string& cluster_id) {
  constexpr int kLooks = 100;
  const fs::path path = records.folder().run(cluster_id) / "serving";
  lock_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  int error = errno;
  for (int i = 0; lock_.get() >= 0 && i < kLooks; ++i) {
    if (::flock(lock_.get(), LOCK_EX | LOCK_NB) == 0) return;
    error = errno;
    if (error != EWOULDBLOCK && error != EINTR) break;
    ::usleep(10'000);
  }
  if (lock_.get() >= 0 && error == EWOULDBLOCK)
    throw InvalidInput("cluster '" + cluster_id + "' is there already: another job manager holds " +
                       path.native() +
                       ": choose another --cluster-id, or set high-availability.type if one is to "
                       "stand by");
  throw InvalidInput(path.native() + ": can't be locked: " + std::strerror(error) +
                     ": its file system must have locks");
}

bool is_present(const StateFolder& folder, const std::string& cluster_id) {
  const int lock = ::open(lock_path(folder, cluster_id).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0) return false;
  const bool locked = ::flock(lock, LOCK_EX | LOCK_NB) != 0;
  ::close(lock);
  return locked;
}

namespace {

bool remove_if_left(const ClusterRecords& records, const std::string& id, OfRecord of_record) {
  const fs::path path = lock_path(records.folder(), id);
  const int lock = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (lock < 0) {
    remove_files(records, id, of_record);
    return true;
  }
  const bool alone = ::flock(lock, LOCK_EX | LOCK_NB) == 0;
  if (alone && is_current(lock, path)) remove_files(records, id, of_record);
  ::close(lock);
  return alone;
}

}  // namespace

bool remove_remains(const ClusterRecords& records, const std::string& cluster_id) {
  return remove_if_left(records, cluster_id, OfRecord::kRemove);
}

void remove_all_remains(const ClusterRecords& records) {
  std::error_code ignored;
  for (auto at = fs::directory_iterator(records.folder().runs(), ignored);
       at != fs::directory_iterator(); at.increment(ignored)) {
    const std::string id = at->path().filename();
    // What an earlier cluster has left may lie where one of the same id is being deployed.
    if (fs::exists(lock_path(records.folder(), id), ignored))
      remove_if_left(records, id, OfRecord::kKeepIfBeingDeployed);
  }
  // Clusters of this host, whose deployment was killed before their first process lived.
  for (const ClusterRecord& record : records.all()) {
    if (record.endpoint.empty() && !is_being_deployed(records, record) &&
        !fs::exists(records.folder().run(record.cluster_id), ignored))
      records.remove(record.cluster_id);
  }
  ControlGroups::remove_left_over();
}

}  // namespace freshet::core
