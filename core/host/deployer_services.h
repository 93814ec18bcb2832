// What core offers to deployers on this host: records, keys, processes that belong to nobody, and
// clients of what they brought up.
//
// Threads    Any.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "freshet/plugin/cluster_deployer.h"
#include "host/cluster_records.h"

namespace freshet::core {

class MainsInClient;
class RpcClusterClient;

// Absolute path of the program `fr` of this installation or build. Throws InvalidInput that names
// where it looked.
FRESHET_API std::string program_fr();

// Whether the record is gone that was read before, with the last process of its cluster on this
// host; also if there is one of a later cluster.
FRESHET_API bool has_ended(const ClusterRecords& records, const ClusterRecord& record);

// The job manager that was started here has ended by itself before it could be reached, as for a
// bad value or a port that is taken; with what it said last.
class FRESHET_API JobManagerCantStart final : public ClusterUnreachable {
 public:
  using ClusterUnreachable::ClusterUnreachable;
  ~JobManagerCantStart() override;
};

class FRESHET_API LocalDeployerServices final : public DeployerServices {
 public:
  // `clock` is the system's (SchedulerPool) and outlives it.
  LocalDeployerServices(const Clock& clock, StateFolder folder);
  ~LocalDeployerServices() override;  // waits for connections that are being made

  const ClusterRecords& cluster_records() const { return records_; }
  // client.ends-cluster: of clients that are made from here on.
  void set_applications_end_with_clients(bool end) { applications_end_with_clients_ = end; }
  // client.timeout: how long clients that are made from here on look for a job manager once they
  // have lost theirs.
  void set_client_timeout(std::int64_t milliseconds) { client_timeout_ms_ = milliseconds; }

  // For mains that run in this process: that of a client which connect() has made and which lives.
  // Null for any other client.
  std::shared_ptr<MainsInClient> mains_of(const ClusterClient& client) const;

  std::string program() const override { return program_fr(); }
  // A record without an endpoint is waited for, too; fails at once, with JobManagerCantStart, if
  // the process 'jobmanager' that was started here for that cluster ends meanwhile. Fails at once
  // if the cluster ends and its record goes with it.
  Future<std::unique_ptr<ClusterClient>> connect(const ClusterRecord& record,
                                                 std::int64_t patience_ms) override;
  std::pair<std::string, std::string> make_key_pair() override;
  void write_record(const ClusterRecord& record) override { records_.write(record); }
  ClusterRecord read_record(const std::string& cluster_id) const override;
  std::vector<ClusterRecord> records() const override { return records_.all(); }
  std::string records_folder() const override { return records_.folder().clusters().native(); }
  void remove_record(const std::string& cluster_id) override;
  std::int64_t start_detached(const std::string& cluster_id, const std::string& name,
                              const std::vector<std::string>& command,
                              const std::string& inherited) override;
  std::shared_ptr<void> lock_cluster(const std::string& cluster_id) override;

 private:
  std::unique_ptr<ClusterClient> wait_and_connect(ClusterRecord record, std::int64_t patience_ms);
  std::unique_ptr<ClusterClient> with_mains_known(std::unique_ptr<RpcClusterClient> client);
  // A job manager that was started here.
  struct Started {
    std::int64_t process = 0;
    std::uint64_t log_begin = 0;  // where what it says begins in the log of that name
  };
  Started started_job_manager(const std::string& cluster_id) const;

  const ClusterRecords records_;
  std::atomic<bool> applications_end_with_clients_{false};
  std::atomic<std::int64_t> client_timeout_ms_{5'000};
  mutable std::mutex mutex_;
  std::map<std::string, Started> job_managers_;  // by cluster
  std::map<const ClusterClient*, std::weak_ptr<MainsInClient>> mains_;
  struct Connecting {
    std::thread thread;
    std::shared_ptr<std::atomic<bool>> over;
  };
  std::vector<Connecting> connecting_;
};

}  // namespace freshet::core
