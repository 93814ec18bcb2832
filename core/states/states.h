// How the state of a thing is set: by move_state(), which looks into the table of its kind. Each
// kind of thing has one:
//
//   job_master/job_states.h          jobs, here and on a cluster; attempts; subtasks
//   dispatcher/application_states.h  applications
//
// Threads    Any.
#pragma once

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>

#include "freshet/api.h"

namespace freshet::core {

// One row of a table.
template <class State>
struct StateMove {
  State from, to;
};

template <class State, std::size_t N>
bool has_move(const StateMove<State> (&table)[N], State from, State to) {
  return std::any_of(std::begin(table), std::end(table), [&](const StateMove<State>& move) {
    return move.from == from && move.to == to;
  });
}

// What the table of that kind says; each kind specialises it. name_of(state) gives its words.
template <class State>
bool may_follow(State from, State to);

// A state that may not follow was to be set: an error inside Freshet, whatever its users did.
class FRESHET_API ForbiddenMove final : public std::logic_error {
 public:
  // `what` names the thing, as "job 'count' (0123abcd)".
  ForbiddenMove(const std::string& what, const char* from, const char* to);
  ~ForbiddenMove() override;
};

// Throws ForbiddenMove, and `state` stays as it is.
template <class State>
void move_state(const std::string& what, State& state, State to) {
  if (!may_follow(state, to)) throw ForbiddenMove(what, name_of(state), name_of(to));
  state = to;
}

}  // namespace freshet::core
