// What a leader keeps of jobs for the one after it: the graph of each from before it is accepted
// until its result is stored, what it has to commit from before it does so, and the result until
// its record is dropped.
//
// A graph that is refused to be put is not kept: its job is not accepted. All else is tried again
// until it is done. Where both are kept, the job has ended.
//
// Threads    The control thread; what is called back is so within the call if it is done at once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "high_availability/persistence.h"
#include "messages/job_commit.h"
#include "messages/messages.h"

namespace freshet::core {

struct KeptGraph {
  std::string job_graph;  // JobGraph::to_bytes()
  std::string application_id, application_name;
  std::string ticket;         // of the submission
  std::int64_t since_ms = 0;  // of its acceptance, since the epoch
  // Of an application whose main is in a client; empty: it is in none.
  std::string application_ticket, client_incarnation, client_name;
  bool main_in_runner = false;  // which ends with its job manager
  FRESHET_MESSAGE_FIELDS(job_graph, application_id, application_name, ticket, since_ms,
                         application_ticket, client_incarnation, client_name, main_in_runner);
};

struct KeptResult {
  JobResult result;
  std::string application_id;
  std::string ticket;
  std::string detail;  // as JobInfo has it
  std::int64_t since_ms = 0, ended_ms = 0;
  std::string application_name;
  bool canceled_by_main = false;  // of its application, which went on
  FRESHET_MESSAGE_FIELDS(result, application_id, ticket, detail, since_ms, ended_ms,
                         application_name, canceled_by_main);

  JobInfo info() const;
};

// That the whole cluster was shut down: for those that stand by.
struct KeptEnd {
  std::string reason;
  std::int64_t at_ms = 0;  // since the epoch
  FRESHET_MESSAGE_FIELDS(reason, at_ms);
};

class FRESHET_API KeptJobs {
 public:
  // All outlives it.
  KeptJobs(ControlThread& thread, HighAvailability& service, Persistence& persistence);
  ~KeptJobs();

  // From here on it writes in that term.
  void lead(std::uint64_t term) { term_ = term; }

  struct Left {
    std::vector<KeptGraph> jobs;  // that have not ended, in the order of their acceptance
    std::map<std::string, JobCommit> commits;  // of those that were committing, by job
    std::vector<KeptResult> results;           // in the order of their ends
    std::optional<KeptEnd> end;                // of the cluster
  };
  // What earlier leaders have left. An entry that can't be read is logged and stays.
  void read(std::function<void(Left)> done);

  // Once. `done` gets "" or why it is not kept; then it is taken back, should it be there after
  // all.
  void put_graph(const std::string& job_id, const KeptGraph& graph,
                 std::function<void(const std::string& error)> done);
  void remove_graph(const std::string& job_id);  // and its commit
  // As put_result(): from then on the job is committed, whoever leads, and not run again.
  void put_commit(const std::string& job_id, const JobCommit& commit, std::function<void()> done,
                  std::function<void(const std::string& error)> waits);
  // `waits` is told each time that it has failed for now.
  void put_result(const KeptResult& result, std::function<void()> done,
                  std::function<void(const std::string& error)> waits);
  void remove_result(const std::string& job_id);
  void put_end(const KeptEnd& end, std::function<void()> done);
  // The cluster has begun again.
  void remove_end();

 private:
  void remove(const std::string& id);  // of what is stored beside the graphs
  struct Reading;
  void read_graphs(const std::shared_ptr<Reading>& reading);
  void read_results(const std::shared_ptr<Reading>& reading);

  ControlThread& thread_;
  HighAvailability& service_;
  Persistence& persistence_;
  std::uint64_t term_ = 0;
  std::set<std::string> removing_;    // graphs that are still being removed, by job
  std::set<std::string> committing_;  // jobs whose commit is stored, or may be
  Alive alive_;
};

}  // namespace freshet::core
