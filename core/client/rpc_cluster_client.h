// ClusterClient over a link to the job manager.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "client/client_session.h"
#include "client/rpc_job_client.h"
#include "client/rpc_mains_in_client.h"
#include "client/uploads.h"
#include "control/id_source.h"
#include "freshet/api.h"
#include "freshet/cluster_client.h"

namespace freshet::core {

// What a client has of its own host.
struct ClientHost {
  std::function<ClientFile(const std::string& path)> file = file_on_disk;
  std::function<std::optional<ClientFile>(const JobModule& module)> module = loaded_module_file;
  std::shared_ptr<const RowReaders> readers;
  // Whether applications that it submits end when it disappears (client.ends-cluster).
  bool applications_end_with_it = false;
};

class FRESHET_API RpcClusterClient final : public ClusterClient {
 public:
  // `ids` outlives it.
  RpcClusterClient(std::shared_ptr<ClientSession> session, IdSource& ids, ClientHost host = {});
  ~RpcClusterClient() override;

  const std::string& cluster_id() const override;
  Future<ClusterInfo> status() override;
  Future<std::string> submit_application(const ApplicationSpec& application) override;
  Future<std::vector<ApplicationInfo>> applications() override;
  Future<ApplicationInfo> application(const std::string& id) override;
  Future<ApplicationInfo> application_end(const std::string& id) override;
  Future<void> cancel_application(const std::string& id) override;
  Future<std::unique_ptr<JobClient>> submit_job(const std::string& job_graph,
                                                const std::string& application_id) override;
  Future<std::vector<JobInfo>> jobs() override;
  Future<IdMatches> find(const std::string& id_or_beginning) override;
  std::unique_ptr<JobClient> job(const std::string& job_id) override;
  Future<LogChunk> read_log(const std::string& process, std::uint64_t from) override;
  void listen(std::shared_ptr<ClusterListener> listener) override;
  Future<std::vector<std::string>> release_task_managers(const std::vector<std::string>& names,
                                                         std::uint32_t count) override;
  Future<void> shut_down() override;

  // For mains that run in this process, and submit their jobs by this client.
  std::shared_ptr<MainsInClient> mains() const { return mains_; }

 private:
  const std::shared_ptr<ClientSession> session_;
  const std::shared_ptr<RpcMainsInClient> mains_;
  IdSource& ids_;
  const ClientHost host_;
};

}  // namespace freshet::core
