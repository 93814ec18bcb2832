// A seed's worth of a cluster's life: applications and jobs that are submitted, canceled and ended,
// processes that crash and come back, and what must hold all the while and afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "simulation/simulated_cluster.h"

namespace freshet::testing {
using namespace core;

struct WorkloadOptions {
  std::uint64_t seed = 1;
  bool faults = true;  // also that rare paths are offered
  bool job_manager_crashes = true;
  bool never_resend = false;
  bool frees_slots_twice = false;
  bool blames_jobs_for_hosts = false;
  bool grants_slots_of_ending = false;  // task managers
  std::uint64_t starts_fail_one_in = 60;
  bool loses_mains_at_once = false;  // those in clients, with their link
};

// Of all jobs.
inline constexpr std::int64_t kSlotRequestTimeoutMs = 20'000;

// What both kinds of workload draw.
MainScript drawn_script(SeededRandom& random);
std::string drawn_settings(SeededRandom& random);
JobBehaviour drawn_behaviour(SeededRandom& random, bool may_be_endless);

class Workload {
 public:
  explicit Workload(WorkloadOptions options);
  ~Workload();
  // The whole of it. What did not hold, one line each.
  std::vector<std::string> run();

  std::uint64_t trace_hash() const { return cluster_.trace_hash(); }
  std::uint64_t steps() const { return cluster_.steps(); }
  // How many applications and jobs came to each end: "finished", "job canceled", …
  const std::map<std::string, int>& ends() const { return ends_; }
  const RarePathCounts& rare_paths() { return cluster_.rare_paths().counts(); }

 private:
  class Watcher;
  struct Client {
    std::string name;
    SimulatedCluster::Client* process;
    RpcClusterClient* cluster;  // as process, until it has gone
    std::shared_ptr<Watcher> watcher;
    bool gone = false;
    bool parted = false;  // from the job manager
    std::int64_t away_since_ms = 0, back_ms = -1'000'000, longest_away_ms = 0;
  };
  // One that a client runs.
  struct Main {
    std::size_t client;
    std::string id;
    std::uint64_t life;
    std::shared_ptr<const SimulatedCluster::Client::Main> told;
    bool twin = false;
  };
  struct Application {
    std::size_t client;
    std::string id;
    std::uint64_t life;  // of the job manager, when it was submitted
    Future<std::string> accepted;
    Future<ApplicationInfo> end;
    bool asked_for_end = false;
    bool twin = false;  // another one was submitted with the same id at the same time
  };
  struct Job {
    std::size_t client;
    std::string id;
    std::uint64_t life;
    std::uint32_t parallelism;
    Future<std::unique_ptr<JobClient>> accepted;
    std::unique_ptr<JobClient> handle;
    Future<JobResult> end;
  };

  void act();
  void submit_application();
  void submit_job();
  void begin_main();
  void cancel_something();
  void fault();
  void follow_up();
  void check_records();
  void check_what_failed(const JobInfo& job);
  void end_a_task_manager();
  void stop_faults();
  void end_all_work();
  void check_told();
  void check_mains_that_failed();
  void check_mains();
  void check_main(const Main& main, const ApplicationInfo& record);
  bool mains_are_told() const;
  void shut_down();
  std::size_t add_client();
  std::size_t some_client();
  std::size_t client_with_main();
  void note_gone();
  void part(Client& client);
  void heal();
  std::string id(const std::string& of);

  const WorkloadOptions options_;
  SeededRandom random_;
  RecordLimits records_;
  std::int64_t client_grace_ms_ = 0;
  SimulatedCluster cluster_;
  std::vector<Client> clients_;
  std::vector<Application> applications_;
  std::vector<Job> jobs_;
  std::vector<Main> mains_;
  std::vector<std::string> leave_;                            // clients that have said goodbye
  std::map<std::uint32_t, std::int64_t> task_managers_back_;  // when
  std::map<std::uint32_t, std::int64_t> hosts_clear_;         // those that start no process, when
  std::int64_t job_manager_back_ = 0;
  bool parted_ = false;
  std::uint64_t last_id_ = 0;
  // Of the job manager's present life: ends that are for good, by id.
  std::uint64_t records_life_ = 0;
  std::map<std::string, std::string> terminal_;
  std::map<std::string, int> ends_;
};

}  // namespace freshet::testing
