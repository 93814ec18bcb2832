#include "dispatcher/application_states.h"

namespace freshet::core {
namespace {

using A = ApplicationStatus;

constexpr StateMove<A> kApplicationMoves[] = {
    {A::kCreated, A::kRunning},     // main begins
    {A::kCreated, A::kFailed},      // its files are not to be had
    {A::kCreated, A::kCanceling},   //
    {A::kRunning, A::kFinished},    // main has returned, and all jobs have finished
    {A::kRunning, A::kFailed},      // main has failed, or a job
    {A::kRunning, A::kCanceling},   //
    {A::kRunning, A::kCanceled},    // somebody has canceled a job of it
    {A::kCanceling, A::kCanceled},  // nothing of it runs any more
};

}  // namespace

template <>
bool may_follow(ApplicationStatus from, ApplicationStatus to) {
  return has_move(kApplicationMoves, from, to);
}

}  // namespace freshet::core
