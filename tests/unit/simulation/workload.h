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

struct WorkloadOptions {
  std::uint64_t seed = 1;
  bool faults = true;
  bool job_manager_crashes = true;
  bool never_resend = false;
  bool frees_slots_twice = false;
};

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

 private:
  class Watcher;
  struct Client {
    std::string name;
    ClusterClient* cluster;  // until it has gone
    std::shared_ptr<Watcher> watcher;
    bool gone = false;
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
  void cancel_something();
  void fault();
  void follow_up();
  void check_records();
  void stop_faults();
  void end_all_work();
  void check_told();
  void shut_down();
  std::size_t add_client();
  std::size_t some_client();
  JobBehaviour behaviour(bool may_be_endless);
  std::string id(const std::string& of);

  const WorkloadOptions options_;
  SeededRandom random_;
  RecordLimits records_;
  SimulatedCluster cluster_;
  std::vector<Client> clients_;
  std::vector<Application> applications_;
  std::vector<Job> jobs_;
  std::map<std::uint32_t, std::int64_t> task_managers_back_;  // when
  std::int64_t job_manager_back_ = 0;
  bool parted_ = false;
  std::uint64_t last_id_ = 0;
  // Of the job manager's present life: ends that are for good, by id.
  std::uint64_t records_life_ = 0;
  std::map<std::string, std::string> terminal_;
  std::map<std::string, int> ends_;
};

}  // namespace freshet::testing
