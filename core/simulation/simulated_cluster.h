// A whole cluster in one process: job manager, task managers, workers, runners and clients, each
// with the classes that the daemons have, over a simulated network and clock. A seed draws what
// happens; the same seed gives the same trace().
//
//   SimulatedCluster cluster({.seed = 7, .task_managers = 3});
//   auto client = cluster.add_client("alice");
//   auto end = client->cluster().submit_application(…);
//   cluster.run_until([&] { return end.ready(); }, 60'000);
//
// Checked while it runs: no slot of a task manager is given twice, a process is told of its
// children's ends once. breaches() has what was found.
//
// Threads    That of the SimulatedThread, outside of fibers.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "client/rpc_cluster_client.h"
#include "dispatcher/job_manager.h"
#include "freshet/api.h"
#include "high_availability/high_availability_in_memory.h"
#include "process/process_spawner.h"
#include "simulation/seeded_rare_paths.h"
#include "simulation/simulated_host.h"
#include "simulation/simulated_main.h"
#include "simulation/simulated_network.h"
#include "simulation/simulated_thread.h"
#include "task_manager/task_manager.h"

namespace freshet::core {

struct SimulatedClusterOptions {
  std::uint64_t seed = 1;
  std::uint32_t task_managers = 2;
  std::uint32_t slots = 2;  // of each
  // More than one: over a high-availability service in memory, all on hosts that share their files.
  std::uint32_t job_managers = 1;
  bool one_application = false;
  std::int64_t linger_ms = 0;
  std::int64_t client_grace_ms = 30'000;
  RecordLimits records;
  std::int64_t blob_max_idle_ms = BlobSweep::kMaxIdleMs;
  std::uint64_t starts_fail_one_in = 60;  // of workers and runners; 0: none
  // Above 0: the deployer gives more task managers, up to so many in all.
  std::uint32_t most_task_managers = 0;
  std::int64_t idle_ms = 10'000;  // of those that came on demand
  std::int64_t start_ms = 5'000;
  std::uint64_t resizes_fail_one_in = 0;  // of the deployer's answers
  std::uint64_t lost_starts_one_in = 0;   // of its task managers: they never register
  bool rare_paths = false;                // are offered
  // Seeded bugs, which the checks must find.
  bool never_resend = false;
  bool frees_slots_twice = false;
  bool blames_jobs_for_hosts = false;
  bool grants_slots_of_ending = false;  // task managers
};

class FRESHET_API SimulatedCluster {
 public:
  explicit SimulatedCluster(SimulatedClusterOptions options);
  ~SimulatedCluster();
  SimulatedCluster(const SimulatedCluster&) = delete;
  SimulatedCluster& operator=(const SimulatedCluster&) = delete;

  // A client process. Valid until it ends.
  class Client {
   public:
    // One that it runs, and what it has been told of it.
    struct Main {
      Future<void> begun;
      std::optional<int> exit_code;  // once main has ended
      MainEnd end;
      Future<void> end_told;
    };
    virtual ~Client() = default;
    virtual RpcClusterClient& cluster() = 0;
    // Main runs here: begins the application, submits its jobs, tells its end. A script that
    // crashes ends the client.
    virtual std::shared_ptr<const Main> run_main(const std::string& application_id,
                                                 const std::string& name,
                                                 const MainScript& script) = 0;
    // Says goodbye, and nothing more.
    virtual void leave() = 0;
  };
  Client& add_client(const std::string& name);
  void end_client(const std::string& name);  // it disappears
  bool has_client(const std::string& name) const;

  // Links of a process that was let in as a client (with `role` kClient), else as a worker, and
  // calls itself `role`. Valid until end_client(name).
  Links& add_stranger(const std::string& name, Role role);
  Address job_manager_address() const { return job_manager_address_; }

  bool run_until(const std::function<bool()>& done, std::int64_t at_most_ms);
  void run_for(std::int64_t milliseconds);
  std::int64_t now_ms() const;

  // Faults. Nothing if there is no such process now.
  void crash_job_manager(bool silently = false, std::uint32_t number = 0);
  void start_job_manager(std::uint32_t number = 0);  // nothing if that one runs
  void crash_task_manager(std::uint32_t number, bool silently = false);
  void start_task_manager(std::uint32_t number);
  void end_task_manager(std::uint32_t number);  // as SIGTERM does
  // As a host that is full does: it starts no process.
  void let_start_workers(std::uint32_t number, bool can);
  // Until it can: its workers are started, and end like that before they are ready.
  void let_start_workers_that_end(std::uint32_t number, const ProcessEnd& end);
  // What the deployer does: those that it keeps, "tm0" and so on; brings them to that number.
  std::vector<std::string> deployed();
  std::vector<std::string> resize(std::uint32_t count);
  std::uint64_t resizes() const { return resizes_; }
  void crash_a_worker();
  void crash_a_runner();
  SimulatedNetwork& network() { return network_; }
  SeededRandom& random() { return random_; }
  SeededRarePaths& rare_paths() { return rare_paths_; }

  // Null while that one does not run.
  JobManager* job_manager(std::uint32_t number = 0);
  // Of several job managers.
  HighAvailabilityInMemory& high_availability() { return high_availability_; }
  std::uint64_t job_manager_life() const { return job_manager_life_; }  // how many-th
  std::size_t processes(const std::string& kind) const;  // "worker", "runner", "client", …
  std::size_t processes() const { return lives_.size(); }
  // Whether a task manager has ever begun a worker of that job.
  bool has_begun_a_worker(const std::string& job_id) const { return begun_.count(job_id) != 0; }
  // How often a job manager has said that it has ended.
  std::uint64_t job_manager_ends() const { return job_manager_ends_; }
  const std::vector<std::string>& breaches() const { return breaches_; }
  void breach(const std::string& what);
  void trace(const std::string& what);
  std::uint64_t trace_hash() const { return trace_hash_; }
  std::uint64_t steps() const { return steps_; }

  // A file that every client has.
  static const std::string& module_content();
  static std::string module_sha256();

 private:
  struct Life;
  class Spawner;
  class Supply;
  class WorkerBody;
  class RunnerBody;
  class JobManagerBody;
  class TaskManagerBody;
  class ClientBody;
  class StrangerBody;
  // What a process is made of; destroyed with it, outside of fibers.
  class Body {
   public:
    virtual ~Body() = default;
    // [outside of fibers] Of a worker: another one of the cluster has.
    virtual void worker_ended(const WorkerId&) {}
  };

  Life& begin(const std::string& name, const std::string& kind, const std::string& parent);
  Transport& connect(Life& life, const PublicKey& key);
  void end(const std::string& name, ProcessEnd how, bool silently = false);
  bool reap();
  void spawn_child(Life& parent, ProcessHandle handle, ProcessSpec spec,
                   detail::UniqueFunction<void(ProcessEnd)> on_end);
  void start_worker(const std::string& name, const WorkerStart& start);
  void start_runner(const std::string& name, const RunnerStart& start);
  void check_slots(const Life& task_manager);
  void crash_one(const std::string& kind);
  LinkOptions link_options() const;
  std::uint64_t draw() { return random_.draw(); }
  std::int64_t delay_ms(std::uint64_t at_most);

  const SimulatedClusterOptions options_;
  SeededRandom random_;
  SeededRarePaths rare_paths_;
  HighAvailabilityInMemory high_availability_;
  BlobsInMemory shared_blobs_;  // of several job managers
  SimulatedThread thread_;
  SimulatedNetwork network_;
  SeededIds ids_;
  KeyPair job_manager_keys_, client_keys_;
  std::vector<KeyPair> task_manager_keys_;  // by number
  std::vector<std::uint32_t> deployed_;     // the deployer's record
  std::uint64_t resizes_ = 0;
  Address job_manager_address_;  // the cluster's record
  Transport* job_manager_transport_ = nullptr;
  std::map<std::string, std::unique_ptr<Life>> lives_;
  std::map<std::string, ProcessEnd> full_;  // task managers, and how what they start ends
  std::set<std::string> begun_;             // jobs
  std::uint64_t last_handle_ = 0;
  std::uint64_t job_manager_life_ = 0, job_manager_ends_ = 0;
  std::vector<std::string> breaches_;
  std::uint64_t trace_hash_ = 0xcbf29ce484222325u;
  std::uint64_t steps_ = 0;
};

}  // namespace freshet::core
