// The states of a job, of its attempts and of their subtasks, and which may follow which
// (states/states.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/job_client.h"
#include "states/states.h"

namespace freshet::core {

// One attempt to run a job is in one of these.
enum class AttemptState : std::uint8_t {
  kCreated,
  kWaiting,     // for slots
  kStarting,    // its workers are asked for
  kDeployed,    // they have their tasks
  kOpened,      // every subtask has
  kFinished,    // all tasks have read, written and sent everything
  kCommitting,  //
  kEnding,      // by failure, cancel, or since all is committed; the last
};
FRESHET_API const char* name_of(AttemptState state);
FRESHET_API bool is_terminal(AttemptState state);

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

template <>
FRESHET_API bool may_follow(JobStatus from, JobStatus to);
template <>
FRESHET_API bool may_follow(AttemptState from, AttemptState to);
template <>
FRESHET_API bool may_follow(SubtaskState from, SubtaskState to);

// Those of one attempt, by place in ExecutionGraph::subtasks(). Each transition is logged once.
class FRESHET_API SubtaskStates {
 public:
  SubtaskStates(std::string job_name, std::size_t subtasks);
  SubtaskState of(std::size_t place) const { return states_[place]; }
  std::size_t count(SubtaskState state) const;
  // Throws ForbiddenMove.
  void enter(std::size_t place, SubtaskState state, const std::string& reason);
  // The same, unless it is in an end state: who ends later than others says so of all.
  void enter_unless_ended(std::size_t place, SubtaskState state, const std::string& reason);

 private:
  const std::string job_name_;
  std::vector<SubtaskState> states_;
};

}  // namespace freshet::core
