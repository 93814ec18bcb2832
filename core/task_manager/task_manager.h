// The role of a task manager: offers slots, fetches the files of jobs, starts workers, watches them
// and tells how they ended. It runs no user code and keeps nothing of a job but its files.
//
// If the job manager is lost, it ends its workers, and once they have ended registers anew with
// whoever is there; it gives up after `patience_ms`.
//
// Threads    The control thread.
// End        `on_end` is called once: the job manager has ended the cluster, none was
//            found in time, or another task manager of that id has taken its place; no worker
//            is left.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "blobs/blob_storage.h"
#include "blobs/blob_sweep.h"
#include "control/alive.h"
#include "control/control_thread.h"
#include "control/id_source.h"
#include "control/recent.h"
#include "freshet/api.h"
#include "links/link.h"
#include "messages/messages.h"
#include "process/process_spawner.h"
#include "security/peer_log.h"

namespace freshet::core {

// All outlive the task manager.
struct TaskManagerServices {
  ControlThread& thread;
  Transport& transport;
  ProcessSpawner& spawner;
  BlobStorage& blobs;
  IdSource& ids;
  // Where the job manager is: asked for each time that it is looked for. An empty endpoint: not
  // known yet.
  std::function<Address()> job_manager;
};

struct TaskManagerOptions {
  std::string cluster_id;
  std::string id;    // of this one, in the cluster
  std::string host;  // for people
  std::int64_t process_id = 0;
  std::string incarnation;  // 32 hex digits; empty: drawn
  std::uint32_t slots = 1;
  std::string program;        // absolute path of fr, which runs workers
  std::string socket_folder;  // of data sockets, if all of a job is on one host
  std::string meeting_place;  // which folder that is, among all that have one of that path
  std::string bind;           // taskmanager.bind: where workers listen for those of other hosts
  std::string told_host;      // taskmanager.host: what those are told instead, if not empty
  std::map<std::string, std::string> settings;  // of the cluster, told to workers
  LinkOptions links;
  std::int64_t patience_ms = 30'000;
  std::int64_t blob_max_idle_ms = BlobSweep::kMaxIdleMs;
};

class FRESHET_API TaskManager final : private LinkListener {
 public:
  using OnEnd = detail::UniqueFunction<void(const std::string& why)>;
  TaskManager(TaskManagerServices services, TaskManagerOptions options, OnEnd on_end);
  // Kills what runs.
  ~TaskManager() override;

  void start();
  // Ends its workers and then itself. May repeat.
  void end(const std::string& why);

  // It ends since another one of its id is there: who gave both that id is to be told.
  bool replaced() const { return replaced_; }

  std::size_t workers() const { return workers_.size(); }

 private:
  struct Worker {
    StartWorker start;
    std::optional<ProcessHandle> process;  // once its files were there
  };
  // One file on its way from the job manager, and who waits for it.
  struct Fetch {
    std::unique_ptr<BlobWriter> writer;
    std::vector<WorkerId> waiting;
  };
  void link_opened(Link& link) override;
  void link_lost(Link& link, const std::string& reason) override;
  void add_to_table();
  void connect();
  void look_again();
  StartWorker::Answer start_worker(const StartWorker& message);
  void stop_worker(const WorkerId& id);
  std::set<std::string> needed_files() const;
  void prepare(const WorkerId& id);
  void fetch(const std::string& sha256);
  void fetched(const std::string& sha256, const std::string& error, bool host_failed);
  void spawn(const WorkerId& id);
  void ended(const WorkerId& id, WorkerEnded message);
  void stop_all();
  void check_end();
  LogChunk read_log(const ReadLog& message) const;

  const TaskManagerServices services_;
  const TaskManagerOptions options_;
  PeerLog job_manager_log_{PeerLog::kLinesAtOnce, services_.thread.clock()};
  OnEnd on_end_;
  std::map<WorkerId, Worker> workers_;
  std::map<std::string, Fetch> fetches_;      // by sha256
  Recent<std::string> last_worker_log_{128};  // by "<job id>:<worker>"
  BlobSweep sweep_;
  std::int64_t alone_since_ns_ = 0;
  bool alone_ = true;  // no job manager has taken it
  std::string ending_;
  bool ended_ = false;
  bool replaced_ = false;
  Link* link_ = nullptr;
  std::uint64_t session_ = 0;  // which link: what belongs to an earlier one is dropped
  MessageTable table_;
  std::unique_ptr<Links> links_;
  Alive alive_;
};

}  // namespace freshet::core
