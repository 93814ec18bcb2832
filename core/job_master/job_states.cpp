#include "job_master/job_states.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace freshet::core {
namespace {

using J = JobStatus;
using A = AttemptState;
using S = SubtaskState;

constexpr StateMove<J> kJobMoves[] = {
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

constexpr StateMove<A> kAttemptMoves[] = {
    {A::kCreated, A::kWaiting},      //
    {A::kCreated, A::kEnding},       // it was not to begin any more
    {A::kWaiting, A::kStarting},     // slots are there
    {A::kWaiting, A::kEnding},       // they were not in time, or it is canceled
    {A::kStarting, A::kDeployed},    // every worker is ready
    {A::kStarting, A::kEnding},      //
    {A::kDeployed, A::kOpened},      // every subtask has
    {A::kDeployed, A::kEnding},      //
    {A::kOpened, A::kFinished},      // every task has
    {A::kOpened, A::kEnding},        //
    {A::kFinished, A::kCommitting},  //
    {A::kFinished, A::kEnding},      //
    {A::kCommitting, A::kEnding},    // all is committed, or it can't be
};

constexpr StateMove<S> kSubtaskMoves[] = {
    {S::kCreated, S::kScheduled},   {S::kCreated, S::kCanceled},    {S::kScheduled, S::kDeploying},
    {S::kScheduled, S::kCanceling}, {S::kScheduled, S::kCanceled},  {S::kScheduled, S::kFailed},
    {S::kDeploying, S::kRunning},   {S::kDeploying, S::kCanceling}, {S::kDeploying, S::kFailed},
    {S::kDeploying, S::kCanceled},  {S::kRunning, S::kFinished},    {S::kRunning, S::kCanceling},
    {S::kRunning, S::kCanceled},    {S::kRunning, S::kFailed},      {S::kCanceling, S::kCanceled},
    {S::kCanceling, S::kFailed},
};

}  // namespace

const char* name_of(AttemptState state) {
  switch (state) {
    case A::kCreated:
      return "created";
    case A::kWaiting:
      return "waiting";
    case A::kStarting:
      return "starting";
    case A::kDeployed:
      return "deployed";
    case A::kOpened:
      return "opened";
    case A::kFinished:
      return "finished";
    case A::kCommitting:
      return "committing";
    case A::kEnding:
      return "ending";
  }
  return "unknown";
}

bool is_terminal(AttemptState state) { return state == A::kEnding; }

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

template <>
bool may_follow(JobStatus from, JobStatus to) {
  return has_move(kJobMoves, from, to);
}
template <>
bool may_follow(AttemptState from, AttemptState to) {
  return has_move(kAttemptMoves, from, to);
}
template <>
bool may_follow(SubtaskState from, SubtaskState to) {
  return has_move(kSubtaskMoves, from, to);
}

SubtaskStates::SubtaskStates(std::string job_name, std::size_t subtasks)
    : job_name_(std::move(job_name)), states_(subtasks, S::kCreated) {}

std::size_t SubtaskStates::count(SubtaskState state) const {
  return static_cast<std::size_t>(std::count(states_.begin(), states_.end(), state));
}

void SubtaskStates::enter(std::size_t place, SubtaskState state, const std::string& reason) {
  const SubtaskState before = states_[place];
  move_state("subtask " + std::to_string(place) + " of job '" + job_name_ + "'", states_[place],
             state);
  spdlog::debug("job '{}': subtask {} goes from {} to {}: {}", job_name_, place, name_of(before),
                name_of(state), reason);
}

void SubtaskStates::enter_unless_ended(std::size_t place, SubtaskState state,
                                       const std::string& reason) {
  if (!is_terminal(states_[place])) enter(place, state, reason);
}

}  // namespace freshet::core
