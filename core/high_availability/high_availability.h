// What outlives a job manager, where it can: who leads, the graphs of accepted jobs, their results.
// Interfaces for plugins; 'none' (nothing outlives it) and one in memory, for several job managers
// of one process.
//
// Threads    The control thread.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/detail/unique_function.h"
#include "freshet/job_client.h"

namespace freshet {

class FRESHET_API LeaderElection {
 public:
  virtual ~LeaderElection();
  // Calls `granted` once this candidate leads; no other does until it gives up.
  virtual void campaign(const std::string& candidate, detail::UniqueFunction<void()> granted) = 0;
  virtual void give_up(const std::string& candidate) = 0;  // may repeat
};

class FRESHET_API JobGraphStore {
 public:
  virtual ~JobGraphStore();
  virtual void put(const std::string& job_id, const std::string& job_graph) = 0;
  virtual void remove(const std::string& job_id) = 0;
  virtual std::map<std::string, std::string> all() const = 0;
};

// Written before the end of a job is told to anybody.
class FRESHET_API JobResultStore {
 public:
  virtual ~JobResultStore();
  virtual void put(const JobResult& result) = 0;
  virtual std::optional<JobResult> find(const std::string& job_id) const = 0;
};

class FRESHET_API NoElection final : public LeaderElection {
 public:
  ~NoElection() override;
  void campaign(const std::string& candidate, detail::UniqueFunction<void()> granted) override;
  void give_up(const std::string& candidate) override;
};
class FRESHET_API NoJobGraphs final : public JobGraphStore {
 public:
  ~NoJobGraphs() override;
  void put(const std::string& job_id, const std::string& job_graph) override;
  void remove(const std::string& job_id) override;
  std::map<std::string, std::string> all() const override;
};
class FRESHET_API NoJobResults final : public JobResultStore {
 public:
  ~NoJobResults() override;
  void put(const JobResult& result) override;
  std::optional<JobResult> find(const std::string& job_id) const override;
};

// The first candidate leads, the others wait in the order in which they came.
class FRESHET_API ElectionInMemory final : public LeaderElection {
 public:
  ~ElectionInMemory() override;
  void campaign(const std::string& candidate, detail::UniqueFunction<void()> granted) override;
  void give_up(const std::string& candidate) override;
  std::string leader() const { return candidates_.empty() ? "" : candidates_.front().name; }

 private:
  struct Candidate {
    std::string name;
    detail::UniqueFunction<void()> granted;
  };
  std::deque<Candidate> candidates_;
};
class FRESHET_API JobGraphsInMemory final : public JobGraphStore {
 public:
  ~JobGraphsInMemory() override;
  void put(const std::string& job_id, const std::string& job_graph) override;
  void remove(const std::string& job_id) override;
  std::map<std::string, std::string> all() const override { return graphs_; }

 private:
  std::map<std::string, std::string> graphs_;
};
class FRESHET_API JobResultsInMemory final : public JobResultStore {
 public:
  ~JobResultsInMemory() override;
  void put(const JobResult& result) override;
  std::optional<JobResult> find(const std::string& job_id) const override;
  const std::map<std::string, JobResult>& all() const { return results_; }

 private:
  std::map<std::string, JobResult> results_;
};

}  // namespace freshet
