#include "host/cluster_records.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "clock/clock.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/nearest_name.h"
#include "posix/file_io.h"
#include "posix/system_reason.h"

namespace freshet::core {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLargest = 1024 * 1024;
constexpr std::int64_t kVersion = 1;  // also of records that name none, which are older

std::string to_json(const ClusterRecord& record) {
  return nlohmann::json{{"version", kVersion},
                        {"cluster_id", record.cluster_id},
                        {"deployer", record.deployer},
                        {"endpoint", record.endpoint},
                        {"public_key", record.public_key},
                        {"client_key", record.client_key},
                        {"since_ms", record.since_ms},
                        {"details", record.details}}
             .dump(2) +
         "\n";
}

ClusterRecord from_json(const fs::path& path, const std::string& text) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    if (const auto version = json.value("version", kVersion); version != kVersion)
      throw InvalidInput(path.native() + ": is a record of version " + std::to_string(version) +
                         ", and this Freshet (" + FRESHET_VERSION_STRING + ") reads version " +
                         std::to_string(kVersion) +
                         ": use the Freshet that has started the cluster, or remove the record");
    ClusterRecord record;
    record.cluster_id = json.at("cluster_id").get<std::string>();
    record.deployer = json.at("deployer").get<std::string>();
    record.endpoint = json.at("endpoint").get<std::string>();
    record.public_key = json.at("public_key").get<std::string>();
    record.client_key = json.at("client_key").get<std::string>();
    record.since_ms = json.at("since_ms").get<std::int64_t>();
    record.details = json.at("details").get<std::map<std::string, std::string>>();
    if (record.cluster_id + ".json" != path.filename())
      throw InvalidInput(path.native() + ": is the record of '" + record.cluster_id +
                         "': it was renamed or copied, remove it");
    return record;
  } catch (const nlohmann::json::exception& error) {
    throw InvalidInput(path.native() + ": is no record of a cluster (" + error.what() +
                       "): remove it");
  }
}

// Nothing if there is no such file. Throws InvalidInput if others may read it.
std::optional<std::string> read_private(const fs::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw InvalidInput(path.native() + ": can't be opened: " + std::strerror(errno));
  }
  struct stat facts {};
  if (::fstat(file.get(), &facts) != 0 || !S_ISREG(facts.st_mode) || facts.st_uid != ::geteuid() ||
      (facts.st_mode & 077) != 0) {
    char mode[16];
    std::snprintf(mode, sizeof mode, "0%o", facts.st_mode & 07777U);
    throw InvalidInput(path.native() + ": holds keys, but belongs to user " +
                       std::to_string(facts.st_uid) + " with mode " + mode +
                       ": it must be a file of user " + std::to_string(::geteuid()) +
                       " with mode 0600; if nobody else has read it, chmod 600");
  }
  std::string text(kLargest, '\0');
  const ssize_t got = read_at(file.get(), 0, text.data(), text.size());
  text.resize(static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  return text;
}

std::string list_of(const std::vector<ClusterRecord>& records) {
  std::string names;
  for (const ClusterRecord& record : records)
    names += (names.empty() ? "'" : ", '") + record.cluster_id + "'";
  return names;
}

}  // namespace

ClusterRecords::ClusterRecords(const Clock& clock, StateFolder folder)
    : clock_(&clock), folder_(std::move(folder)) {}

fs::path ClusterRecords::path_of(const std::string& cluster_id) const {
  check_cluster_id(cluster_id);
  return folder_.clusters() / (cluster_id + ".json");
}

Descriptor ClusterRecords::lock() const {
  const fs::path path = folder_.make_clusters() / ".lock";
  Descriptor lock(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (lock.get() < 0 || ::flock(lock.get(), LOCK_EX) != 0)
    throw InvalidInput(path.native() + ": can't be locked: " + std::strerror(errno) +
                       ": make the folder writable");
  return lock;
}

void ClusterRecords::write(const ClusterRecord& given) const {
  const Descriptor locked = lock();
  ClusterRecord record = given;
  if (const auto before = find(given.cluster_id)) {
    // Whoever brings up a cluster has looked for one before, and another one may have come since.
    if (before->public_key != given.public_key)
      throw InvalidInput("cluster '" + given.cluster_id +
                         "' is there already: " + path_of(given.cluster_id).native() +
                         ": choose another --cluster-id, or end that one by 'fr cluster stop'");
    if (record.endpoint.empty()) record.endpoint = before->endpoint;
    record.details.insert(before->details.begin(), before->details.end());
  }
  std::erase_if(record.details, [](const auto& detail) { return detail.second.empty(); });
  put(record);
}

bool ClusterRecords::put_back(const ClusterRecord& record) const {
  const Descriptor locked = lock();
  if (const auto now = find(record.cluster_id)) return now->public_key == record.public_key;
  put(record);
  return true;
}

void ClusterRecords::put(const ClusterRecord& record) const {
  const fs::path path = path_of(record.cluster_id);
  std::string part = (folder_.clusters() / ".part-XXXXXX").native();
  const Descriptor file(::mkostemp(part.data(), O_CLOEXEC));  // 0600
  int error = file.get() < 0 ? errno : write_all(file.get(), to_json(record));
  if (error == 0 && ::rename(part.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) {
    ::unlink(part.c_str());
    throw InvalidInput(path.native() +
                       ": can't be written: " + reason_with_mend(error, "make room there"));
  }
}

// Who may enter them could have put a record there.
void ClusterRecords::check_folders() const {
  check_private_folder(folder_.root());
  check_private_folder(folder_.clusters());
}

std::optional<ClusterRecord> ClusterRecords::find(const std::string& cluster_id) const {
  const fs::path path = path_of(cluster_id);
  check_folders();
  const auto text = read_private(path);
  if (!text) return std::nullopt;
  return from_json(path, *text);
}

ClusterRecord ClusterRecords::read(const std::string& cluster_id) const {
  if (auto record = find(cluster_id)) return *std::move(record);
  const std::vector<ClusterRecord> others = all();
  std::vector<std::string> names;
  for (const ClusterRecord& each : others) names.push_back(each.cluster_id);
  const std::string near = nearest_name(cluster_id, names);
  throw InvalidInput("no cluster '" + cluster_id + "' is known: looked for " +
                     path_of(cluster_id).native() +
                     (!near.empty()    ? ": did you mean '" + near + "'?"
                      : others.empty() ? ": there is none; start one by 'fr cluster start'"
                                       : ": there are " + list_of(others)));
}

// Calls found(id) for each file that should be a record.
template <class F>
void ClusterRecords::for_each(F&& found) const {
  std::error_code ignored;
  for (auto at = fs::directory_iterator(folder_.clusters(), ignored);
       at != fs::directory_iterator(); at.increment(ignored)) {
    if (at->path().extension() == ".json") found(at->path().stem().native());
  }
}

std::vector<ClusterRecord> ClusterRecords::all() const {
  check_folders();
  std::vector<ClusterRecord> records;
  for_each([&](const std::string& id) {
    try {
      if (auto record = find(id)) records.push_back(*std::move(record));
    } catch (const InvalidInput&) {
      // told by whoever asks for it by its id, and by unreadable()
    }
  });
  std::sort(records.begin(), records.end(), [](const ClusterRecord& a, const ClusterRecord& b) {
    return a.cluster_id < b.cluster_id;
  });
  return records;
}

std::vector<std::string> ClusterRecords::unreadable() const {
  std::vector<std::string> troubles;
  for_each([&](const std::string& id) {
    try {
      static_cast<void>(find(id));
    } catch (const InvalidInput& trouble) {
      troubles.emplace_back(trouble.what());
    }
  });
  std::sort(troubles.begin(), troubles.end());
  return troubles;
}

void ClusterRecords::check_all_readable() const {
  const std::vector<std::string> troubles = unreadable();
  if (troubles.empty()) return;
  throw InvalidInput("a cluster may be meant whose record can't be read: " + troubles[0] +
                     "; or choose one by --cluster-id (" + options::kClusterId.key() + ")");
}

void ClusterRecords::remove(const std::string& cluster_id) const {
  ::unlink(path_of(cluster_id).c_str());
}

ClusterRecord ClusterRecords::choose(const Configuration& configuration) const {
  if (const auto id = configuration.find(options::kClusterId)) return read(*id);
  const std::vector<ClusterRecord> records = all();
  if (records.size() <= 1) check_all_readable();
  if (records.size() == 1) return records[0];
  if (records.empty())
    throw InvalidInput("no cluster is known: looked in " + folder_.clusters().native() +
                       ": start one by 'fr cluster start', or wait for one by "
                       "--wait-for-cluster");
  throw InvalidInput(std::to_string(records.size()) + " clusters are known, " + list_of(records) +
                     ": choose one by --cluster-id (" + options::kClusterId.key() + ")");
}

bool ClusterRecords::wait_for_endpoint(const std::string& cluster_id, std::int64_t patience_ms,
                                       ClusterRecord& record, int stop) const {
  const auto look = [&] {
    std::optional<ClusterRecord> found;
    if (!cluster_id.empty()) {
      found = find(cluster_id);
    } else if (auto records = all(); records.size() == 1) {
      check_all_readable();
      found = std::move(records[0]);
    }
    if (!found || found->endpoint.empty()) return Looked::kNotYet;
    record = std::move(*found);
    return Looked::kFound;
  };
  return wait(look, patience_ms, stop);
}

bool ClusterRecords::wait_for_endpoint_of_known(const std::string& cluster_id,
                                                std::int64_t patience_ms, ClusterRecord& record,
                                                int stop) const {
  const auto look = [&] {
    auto found = find(cluster_id);
    if (!found) return Looked::kGone;
    if (found->endpoint.empty()) return Looked::kNotYet;
    record = std::move(*found);
    return Looked::kFound;
  };
  return wait(look, patience_ms, stop);
}

bool ClusterRecords::wait(const std::function<Looked()>& look, std::int64_t patience_ms,
                          int stop) const {
  const std::int64_t deadline =
      clock_->now_ns() + std::max<std::int64_t>(patience_ms, 0) * 1'000'000;
  Looked seen = look();
  if (seen != Looked::kNotYet) return seen == Looked::kFound;
  const Descriptor changes(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ::inotify_add_watch(changes.get(), folder_.make_clusters().c_str(),
                      IN_MOVED_TO | IN_CLOSE_WRITE | IN_DELETE);
  while ((seen = look()) == Looked::kNotYet) {
    const std::int64_t left = (deadline - clock_->now_ns()) / 1'000'000;
    if (left <= 0) return false;
    pollfd polled[] = {{changes.get(), POLLIN, 0}, {stop, POLLIN, 0}};
    ::poll(polled, 2, static_cast<int>(std::min<std::int64_t>(left, 60'000)));
    if (polled[1].revents != 0) return look() == Looked::kFound;
    char events[4096];
    while (::read(changes.get(), events, sizeof events) > 0) {
    }
  }
  return seen == Looked::kFound;
}

}  // namespace freshet::core
