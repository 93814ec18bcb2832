#include "host/deployer_services.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "client/cluster_connection.h"
#include "freshet/cluster_bootstrap.h"
#include "freshet/error.h"
#include "host/cluster_presence.h"
#include "posix/descriptor.h"
#include "process/rolled_log.h"
#include "process/started_process.h"
#include "security/keys.h"

namespace freshet::core {
namespace fs = std::filesystem;

std::string program_fr() {
  std::error_code ignored;
  const fs::path self = fs::read_symlink("/proc/self/exe", ignored);
  if (self.filename() == "fr") return self.native();
  Dl_info core{};
  if (::dladdr(reinterpret_cast<const void*>(&program_fr), &core) == 0)
    throw InvalidInput("can't tell where the core library stands");
  // <prefix>/<libdir>, whose depth differs, or core/ of a build folder.
  std::string looked;
  fs::path folder = fs::canonical(core.dli_fname, ignored).parent_path();
  for (int up = 0; up < 3 && folder.has_relative_path(); ++up) {
    folder = folder.parent_path();
    for (const char* place : {"bin/fr", "tools/fr/fr"}) {
      const fs::path found = folder / place;
      if (::access(found.c_str(), X_OK) == 0 && fs::is_regular_file(found, ignored))
        return found.native();
      looked += "\n  looked for: " + found.native();
    }
  }
  throw InvalidInput(
      "the program 'fr', which the processes of a cluster are, is not beside the core library: "
      "install Freshet whole" +
      looked);
}

JobManagerCantStart::~JobManagerCantStart() = default;

LocalDeployerServices::LocalDeployerServices(const Clock& clock, StateFolder folder)
    : records_(clock, std::move(folder)) {}

LocalDeployerServices::~LocalDeployerServices() {
  for (Connecting& each : connecting_) each.thread.join();
}

bool has_ended(const ClusterRecords& records, const ClusterRecord& record) {
  try {
    const auto now = records.find(record.cluster_id);
    return !now || now->public_key != record.public_key;
  } catch (const InvalidInput&) {
    return false;
  }
}

std::pair<std::string, std::string> LocalDeployerServices::make_key_pair() {
  KeyPair pair = core::make_key_pair();
  return {std::move(pair.public_key), std::move(pair.secret_key)};
}

ClusterRecord LocalDeployerServices::read_record(const std::string& cluster_id) const {
  return records_.read(cluster_id);
}

void LocalDeployerServices::remove_record(const std::string& cluster_id) {
  remove_remains(records_, cluster_id);
  records_.remove(cluster_id);
}

std::int64_t LocalDeployerServices::start_detached(const std::string& cluster_id,
                                                   const std::string& name,
                                                   const std::vector<std::string>& command,
                                                   const std::string& inherited) {
  const fs::path file = records_.folder().make_logs(cluster_id) / (name + ".log");
  const Descriptor log(
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (log.get() < 0)
    throw InvalidInput(file.native() + ": can't be opened: " + std::strerror(errno) +
                       ": the log of '" + name + "' is written there");
  struct stat before {};
  Started started;
  if (::fstat(log.get(), &before) == 0)
    started.log_begin = static_cast<std::uint64_t>(before.st_size);
  started.process = start_detached_process({command, {}, inherited, log.get()});
  const std::lock_guard lock(mutex_);
  if (name == "jobmanager") job_managers_[cluster_id] = started;
  return started.process;
}

// The lock is one of the cluster's folder on this host, so nothing is left of it.
std::shared_ptr<void> LocalDeployerServices::lock_cluster(const std::string& cluster_id) {
  constexpr std::int64_t kPatienceMs = 30'000;
  const fs::path folder = records_.folder().run(cluster_id);
  auto lock = std::make_shared<Descriptor>(
      ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  if (lock->get() < 0)
    throw InvalidInput("cluster '" + cluster_id + "' has no process on this host: " +
                       folder.native() + ": " + std::strerror(errno));
  const std::int64_t begin = records_.clock().now_ns();
  while (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
    if (records_.clock().now_ns() - begin > kPatienceMs * 1'000'000)
      throw InvalidInput("cluster '" + cluster_id + "' is being changed by another process since " +
                         std::to_string(kPatienceMs) + " ms: try again once that has ended");
    ::usleep(5'000);
  }
  return lock;
}

LocalDeployerServices::Started LocalDeployerServices::started_job_manager(
    const std::string& cluster_id) const {
  const std::lock_guard lock(mutex_);
  const auto at = job_managers_.find(cluster_id);
  return at == job_managers_.end() ? Started{} : at->second;
}

std::unique_ptr<ClusterClient> LocalDeployerServices::wait_and_connect(ClusterRecord record,
                                                                       std::int64_t patience_ms) {
  const std::int64_t begin = records_.clock().now_ns();
  if (record.endpoint.empty()) {
    const std::string id = record.cluster_id;
    const auto [process, log_begin] = started_job_manager(id);
    const Descriptor end(process == 0 ? -1
                                      : static_cast<int>(::syscall(SYS_pidfd_open, process, 0)));
    const bool found = records_.wait_for_endpoint(id, patience_ms, record, end.get());
    pollfd looked{end.get(), POLLIN, 0};
    const bool ended = process != 0 && (end.get() < 0 || ::poll(&looked, 1, 0) == 1);
    if (!found) {
      std::string said =
          last_lines_of_file(records_.folder().logs(id) / "jobmanager.log", log_begin);
      if (!said.empty()) said = "; it said last:\n" + said;
      if (ended)
        throw JobManagerCantStart("the job manager of cluster '" + id +
                                  "' has ended before it could be reached" + said);
      throw ClusterUnreachable("no job manager of cluster '" + id +
                               "' has announced itself within " + std::to_string(patience_ms) +
                               " ms in " + records_.path_of(id).native() + said);
    }
  }
  const std::int64_t spent = (records_.clock().now_ns() - begin) / 1'000'000;
  ClusterConnection connection;
  connection.cluster_id = record.cluster_id;
  connection.keeps_jobs = !ClusterFacts::high_availability(record).empty();
  // A restarted job manager may listen elsewhere.
  connection.job_manager = [records = records_, record]() -> Address {
    try {
      if (const auto now = records.find(record.cluster_id);
          now && now->public_key == record.public_key && !now->endpoint.empty())
        return {now->endpoint, now->public_key};
    } catch (const InvalidInput&) {
      // it was read before
    }
    return {record.endpoint, record.public_key};
  };
  connection.secret_key = record.client_key;
  connection.patience_ms = std::min<std::int64_t>(client_timeout_ms_.load(),
                                                  std::max<std::int64_t>(patience_ms - spent, 100));
  connection.applications_end_with_it = applications_end_with_clients_.load();
  connection.has_ended = [records = records_, record] { return has_ended(records, record); };
  return with_mains_known(connect_to_cluster(records_.clock(), connection));
}

std::unique_ptr<ClusterClient> LocalDeployerServices::with_mains_known(
    std::unique_ptr<RpcClusterClient> client) {
  const std::lock_guard lock(mutex_);
  std::erase_if(mains_, [](const auto& each) { return each.second.expired(); });
  mains_[client.get()] = client->mains();
  return client;
}

std::shared_ptr<MainsInClient> LocalDeployerServices::mains_of(const ClusterClient& client) const {
  const std::lock_guard lock(mutex_);
  const auto at = mains_.find(&client);
  return at == mains_.end() ? nullptr : at->second.lock();
}

Future<std::unique_ptr<ClusterClient>> LocalDeployerServices::connect(const ClusterRecord& record,
                                                                      std::int64_t patience_ms) {
  Promise<std::unique_ptr<ClusterClient>> promise;
  auto future = promise.future();
  const auto over = std::make_shared<std::atomic<bool>>(false);
  const std::lock_guard lock(mutex_);
  std::erase_if(connecting_, [](Connecting& each) {
    if (!*each.over) return false;
    each.thread.join();
    return true;
  });
  std::thread thread([this, record, patience_ms, promise = std::move(promise), over]() mutable {
    try {
      promise.set_value(wait_and_connect(record, patience_ms));
    } catch (...) {
      promise.set_error(std::current_exception());
    }
    *over = true;
  });
  connecting_.push_back({std::move(thread), over});
  return future;
}

}  // namespace freshet::core
