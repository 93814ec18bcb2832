#include "job_master/job_states.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace freshet::core {
namespace {

using J = JobStatus;
using S = SubtaskState;

constexpr std::pair<J, J> kJobTransitions[] = {
    {J::kCreated, J::kRunning},       // every subtask has opened
    {J::kCreated, J::kRestarting},    // a subtask could not be opened
    {J::kCreated, J::kFailing},       // the same, and no attempt is left
    {J::kCreated, J::kCanceling},     //
    {J::kCreated, J::kCommitting},    // an earlier leader was committing it
    {J::kRunning, J::kFinished},      // there is nothing to commit
    {J::kRunning, J::kCommitting},    // all has been read and written
    {J::kCommitting, J::kFinished},   //
    {J::kCommitting, J::kFailing},    // it can't be committed, or is ended by force
    {J::kRunning, J::kRestarting},    // a failure, and another attempt is left
    {J::kRunning, J::kFailing},       // a failure, and none is
    {J::kRunning, J::kCanceling},     //
    {J::kRestarting, J::kRunning},    // the next attempt has opened
    {J::kRestarting, J::kFailing},    // it failed, and no other is left
    {J::kRestarting, J::kCanceling},  //
    {J::kFailing, J::kFailed},        // nothing of it runs any more
    {J::kCanceling, J::kCanceled},    // nothing of it runs any more
};

constexpr std::pair<S, S> kSubtaskTransitions[] = {
    {S::kCreated, S::kScheduled},   {S::kCreated, S::kCanceled},    {S::kScheduled, S::kDeploying},
    {S::kScheduled, S::kCanceling}, {S::kScheduled, S::kCanceled},  {S::kScheduled, S::kFailed},
    {S::kDeploying, S::kRunning},   {S::kDeploying, S::kCanceling}, {S::kDeploying, S::kFailed},
    {S::kDeploying, S::kCanceled},  {S::kRunning, S::kFinished},    {S::kRunning, S::kCanceling},
    {S::kRunning, S::kCanceled},    {S::kRunning, S::kFailed},      {S::kCanceling, S::kCanceled},
    {S::kCanceling, S::kFailed},
};

}  // namespace

const char* name_of(SubtaskState state) {
  switch (state) {
    case S::kCreated:
      return "created";
    case S::kScheduled:
      return "scheduled";
    case S::kDeploying:
      return "deploying";
    case S::kRunning:
      return "running";
    case S::kFinished:
      return "finished";
    case S::kCanceling:
      return "canceling";
    case S::kCanceled:
      return "canceled";
    case S::kFailed:
      return "failed";
  }
  return "unknown";
}

bool is_terminal(SubtaskState state) {
  return state == S::kFinished || state == S::kCanceled || state == S::kFailed;
}

bool may_follow(JobStatus from, JobStatus to) {
  return std::find(std::begin(kJobTransitions), std::end(kJobTransitions), std::pair(from, to)) !=
         std::end(kJobTransitions);
}

bool may_follow(SubtaskState from, SubtaskState to) {
  return std::find(std::begin(kSubtaskTransitions), std::end(kSubtaskTransitions),
                   std::pair(from, to)) != std::end(kSubtaskTransitions);
}

SubtaskStates::SubtaskStates(std::string job_name, std::size_t subtasks)
    : job_name_(std::move(job_name)), states_(subtasks, S::kCreated) {}

std::size_t SubtaskStates::count(SubtaskState state) const {
  return static_cast<std::size_t>(std::count(states_.begin(), states_.end(), state));
}

void SubtaskStates::enter(std::size_t place, SubtaskState state, const std::string& reason) {
  assert(may_follow(states_[place], state));
  spdlog::debug("job '{}': subtask {} goes from {} to {}: {}", job_name_, place,
                name_of(states_[place]), name_of(state), reason);
  states_[place] = state;
}

void SubtaskStates::enter_if_allowed(std::size_t place, SubtaskState state,
                                     const std::string& reason) {
  if (may_follow(states_[place], state)) enter(place, state, reason);
}

}  // namespace freshet::core
