// The role of a job manager: the dispatcher, the resource manager and what is between them and
// their peers.
//
// Begin here; dispatcher.h has applications and jobs, resource_manager/ slots and workers,
// job_master/ one job.
//
// It campaigns first, and nobody is told where it is before it leads: it begins to listen once it
// has read what earlier leaders have left. A job manager that leads no more ends, and leaves the
// cluster to the one that does: task managers and clients look for that one.
//
// Threads    The control thread.
// End        `on_end` is called once: nothing runs any more, task managers have ended or are lost.
//            Or it leads no more: leads_no_more().
//            The job manager sends nothing after that and may be destroyed, but for what its links
//            have still to get out.
#pragma once

#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <string>

#include "blobs/blob_storage.h"
#include "blobs/blob_sweep.h"
#include "control/control_thread.h"
#include "control/id_source.h"
#include "dispatcher/application.h"
#include "dispatcher/dispatcher.h"
#include "fetching/artifact_fetcher.h"
#include "freshet/api.h"
#include "high_availability/leadership.h"
#include "links/link.h"
#include "network/transport.h"
#include "process/process_spawner.h"
#include "resource_manager/on_demand.h"
#include "resource_manager/resource_manager.h"
#include "resource_manager/task_managers.h"
#include "security/peer_log.h"

namespace freshet::core {

// All outlive the job manager.
struct JobManagerServices {
  ControlThread& thread;
  Transport& transport;
  ProcessSpawner& spawner;
  BlobStorage& blobs;
  ArtifactFetcher& fetcher;
  IdSource& ids;
  TaskManagerSupply* supply = nullptr;  // null: nobody brings task managers on demand
};

struct JobManagerOptions {
  std::string cluster_id;
  std::string endpoint = "tcp://127.0.0.1:*";  // jobmanager.bind
  std::string told_host;                       // jobmanager.host: what peers are told instead
  std::string name = "job manager";            // in what its peers say of it
  std::string incarnation;                     // 32 hex digits; empty: drawn
  std::int64_t process_id = 0;
  std::string program;                          // absolute path of fr, which runs runners
  std::map<std::string, std::string> settings;  // of the cluster, told to runners
  LinkOptions links;
  // The cluster of one application: ends with it. Clients are given so long to ask for its end, and
  // for what main has printed, and to leave.
  bool one_application = false;
  std::int64_t linger_ms = 0;
  RecordLimits records;  // of what has ended
  OnDemandOptions on_demand;
  std::int64_t blob_max_idle_ms = BlobSweep::kMaxIdleMs;
  std::int64_t client_grace_ms = 30'000;  // of mains in clients whose link is lost
  std::uint64_t largest_blob = std::uint64_t{4} << 30;
};

class FRESHET_API JobManager final : private LinkListener {
 public:
  // `why` ends as in "the cluster was shut down by client (pid 4711)".
  using OnEnd = detail::UniqueFunction<void(const std::string& why)>;
  JobManager(JobManagerServices services, std::unique_ptr<HighAvailability> high_availability,
             JobManagerOptions options, OnEnd on_end);
  ~JobManager() override;

  // Once. `on_lead` gets the address at which it serves, within the call if it leads at once.
  // Throws InvalidInput: if it leads at once and can't listen, too; later that ends it.
  void start(detail::UniqueFunction<void(const Address& address)> on_lead);
  // As a client would.
  std::string submit(SubmitApplication submission);
  // May repeat; the first reason counts. It ends once the results of all jobs are stored.
  void shut_down(const std::string& reason);
  // Ends this one alone: the next one takes over what runs. Without one that stands by, that is
  // whoever is started next.
  void hand_over(const std::string& reason);
  // Another one leads, or may: the cluster goes on without this one.
  bool leads_no_more() const { return leads_no_more_; }

  // For tests.
  ResourceManager& resources() { return resources_; }
  TaskManagers& task_managers() { return task_managers_; }
  const TaskManagers& task_managers() const { return task_managers_; }
  const Dispatcher& dispatcher() const { return *dispatcher_; }
  bool leads() const { return serves_ && leadership_.leads() && !ended_; }
  std::uint64_t term() const { return leadership_.term(); }

 private:
  struct Upload {
    Link* link;
    std::unique_ptr<BlobWriter> writer;
  };
  void link_opened(Link& link) override;
  void link_lost(Link& link, const std::string& reason) override;
  void add_to_table();
  ClusterInfo status() const;
  PutBlob::Answer put_blob(Link& link, const PutBlob& message);
  void blob_chunk(Link& link, const BlobChunk& message);
  GetBlob::Answer get_blob(const GetBlob& message);
  Future<LogChunk> read_log(const ReadLog& message);
  void serve(KeptJobs::Left left);
  void give_way(const std::string& reason);
  void check_end();
  void end();
  void say_goodbye();
  void say_goodbye_to(Link& client);
  void check_heard();
  void tell_end(const std::string& why);

  const JobManagerServices services_;
  const JobManagerOptions options_;
  PeerLog peer_log_{PeerLog::kLinesAtOnceOfPeersLetIn, services_.thread.clock()};
  OnEnd on_end_;
  detail::UniqueFunction<void(const Address&)> on_lead_;
  std::int64_t since_ms_;
  Leadership leadership_;
  bool starts_ = false;               // within start()
  std::exception_ptr start_failure_;  // while it starts
  bool serves_ = false, leads_no_more_ = false;
  ResourceManager resources_;
  TaskManagers task_managers_;
  std::unique_ptr<OnDemand> on_demand_;  // null: off
  RunnerServices runners_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::map<std::uint64_t, Upload> uploads_;
  std::uint64_t last_upload_ = 0;
  std::unique_ptr<BlobSweep> sweep_;  // once it serves
  std::string ending_;                // why; empty: it is not
  bool task_managers_told_ = false;
  bool waited_enough_ = false;  // for task managers to end
  bool lingers_ = false, lingered_ = false;
  std::vector<Link*> clients_;
  bool says_goodbye_ = false;
  std::size_t unheard_ = 0;  // goodbyes to clients
  bool ended_ = false;
  std::vector<Promise<Done>> shut_down_askers_;
  MessageTable table_;
  std::unique_ptr<Links> links_;
  Alive alive_;
};

}  // namespace freshet::core
