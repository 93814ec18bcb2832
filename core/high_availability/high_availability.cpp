#include "high_availability/high_availability.h"

#include <algorithm>

namespace freshet {

LeaderElection::~LeaderElection() = default;
JobGraphStore::~JobGraphStore() = default;
JobResultStore::~JobResultStore() = default;

NoElection::~NoElection() = default;
void NoElection::campaign(const std::string&, detail::UniqueFunction<void()> granted) { granted(); }
void NoElection::give_up(const std::string&) {}

NoJobGraphs::~NoJobGraphs() = default;
void NoJobGraphs::put(const std::string&, const std::string&) {}
void NoJobGraphs::remove(const std::string&) {}
std::map<std::string, std::string> NoJobGraphs::all() const { return {}; }

NoJobResults::~NoJobResults() = default;
void NoJobResults::put(const JobResult&) {}
std::optional<JobResult> NoJobResults::find(const std::string&) const { return std::nullopt; }

ElectionInMemory::~ElectionInMemory() = default;

void ElectionInMemory::campaign(const std::string& candidate,
                                detail::UniqueFunction<void()> granted) {
  if (candidates_.empty()) {
    candidates_.push_back({candidate, {}});
    granted();
  } else {
    candidates_.push_back({candidate, std::move(granted)});
  }
}

void ElectionInMemory::give_up(const std::string& candidate) {
  const bool led = leader() == candidate;
  std::erase_if(candidates_, [&](const Candidate& other) { return other.name == candidate; });
  if (!led || candidates_.empty()) return;
  detail::UniqueFunction<void()> granted = std::move(candidates_.front().granted);
  if (granted) granted();
}

JobGraphsInMemory::~JobGraphsInMemory() = default;
void JobGraphsInMemory::put(const std::string& job_id, const std::string& job_graph) {
  graphs_[job_id] = job_graph;
}
void JobGraphsInMemory::remove(const std::string& job_id) { graphs_.erase(job_id); }

JobResultsInMemory::~JobResultsInMemory() = default;
void JobResultsInMemory::put(const JobResult& result) { results_[result.job_id] = result; }
std::optional<JobResult> JobResultsInMemory::find(const std::string& job_id) const {
  const auto found = results_.find(job_id);
  if (found == results_.end()) return std::nullopt;
  return found->second;
}

}  // namespace freshet
