// The states of a job and of its subtasks, and which may follow which. A transition that is not in
// the table is a broken invariant.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/job_client.h"

namespace freshet::core {

enum class SubtaskState : std::uint8_t {
  kCreated,
  kScheduled,  // has a slot
  kDeploying,  // its worker was asked
  kRunning,
  kFinished,
  kCanceling,
  kCanceled,
  kFailed,
};
FRESHET_API const char* name_of(SubtaskState state);
FRESHET_API bool is_terminal(SubtaskState state);

FRESHET_API bool may_follow(JobStatus from, JobStatus to);
FRESHET_API bool may_follow(SubtaskState from, SubtaskState to);

// Those of one attempt, by place in ExecutionGraph::subtasks(). Each transition is logged once.
class FRESHET_API SubtaskStates {
 public:
  SubtaskStates(std::string job_name, std::size_t subtasks);
  SubtaskState of(std::size_t place) const { return states_[place]; }
  std::size_t count(SubtaskState state) const;
  // Asserts that the table has it.
  void enter(std::size_t place, SubtaskState state, const std::string& reason);
  // enter() for each that is in no end state yet and may go there.
  void enter_if_allowed(std::size_t place, SubtaskState state, const std::string& reason);

 private:
  const std::string job_name_;
  std::vector<SubtaskState> states_;
};

}  // namespace freshet::core
