#pragma once

#include <map>
#include <string>
#include <utility>

#include "workload.h"

namespace freshet::testing {
using namespace core;

// What one client is told of the states of things: never anything after an end.
class Workload::Watcher final : public ClusterListener {
 public:
  Watcher(SimulatedCluster& cluster, std::string name)
      : cluster_(cluster), name_(std::move(name)) {}
  void on_event(const ClusterEvent& event) override {
    const std::string id = event.job_id.empty() ? event.application_id : event.job_id;
    cluster_.trace(name_ + " is told: " + id + " is " + event.status);
    // One that has restarted knows nothing of what was before.
    if (std::exchange(life_, cluster_.job_manager_life()) != cluster_.job_manager_life()) {
      last_.clear();
    }
    const auto before = last_.find(id);
    if (before != last_.end() && before->second.terminal && before->second.status != event.status) {
      cluster_.breach(name_ + " was told that " + id + " is " + before->second.status +
                      " for good, and then " + event.status);
    }
    last_[id] = event;
  }
  const std::map<std::string, ClusterEvent>& last() const { return last_; }

 private:
  SimulatedCluster& cluster_;
  const std::string name_;
  std::uint64_t life_ = 0;
  std::map<std::string, ClusterEvent> last_;
};

template <class T>
bool is_told(const Future<T>& future) {
  return future.valid() && future.ready();
}

}  // namespace freshet::testing
