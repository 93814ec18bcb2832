#include "states/states.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "dispatcher/application_states.h"
#include "freshet/cluster_client.h"
#include "freshet/job_client.h"
#include "job_master/job_states.h"

namespace freshet::testing {
using namespace core;
namespace {

template <class State>
class StateTables : public ::testing::Test {
 protected:
  // Values are 0, 1, ... up to the first that has no name.
  static std::vector<State> all() {
    std::vector<State> states;
    for (std::uint8_t value = 0; name_of(static_cast<State>(value)) != std::string("unknown");
         ++value) {
      states.push_back(static_cast<State>(value));
    }
    return states;
  }
  static std::vector<bool> reached_from(State from) {
    std::vector<bool> reached(all().size());
    std::vector<State> open{from};
    while (!open.empty()) {
      const State state = open.back();
      open.pop_back();
      if (reached[static_cast<std::size_t>(state)]) continue;
      reached[static_cast<std::size_t>(state)] = true;
      for (const State next : all()) {
        if (may_follow(state, next)) open.push_back(next);
      }
    }
    return reached;
  }
};

using Kinds = ::testing::Types<ApplicationStatus, JobStatus, AttemptState, SubtaskState>;
TYPED_TEST_SUITE(StateTables, Kinds);

TYPED_TEST(StateTables, LeadFromTheFirstStateToEveryOther) {
  const auto reached = this->reached_from(TypeParam::kCreated);
  ASSERT_GT(reached.size(), 5u);
  for (const TypeParam state : this->all())
    EXPECT_TRUE(reached[static_cast<std::size_t>(state)]) << name_of(state);
}

TYPED_TEST(StateTables, LeadFromEveryStateToAnEnd) {
  for (const TypeParam from : this->all()) {
    const auto reached = this->reached_from(from);
    bool ends = false;
    for (const TypeParam state : this->all())
      ends = ends || (is_terminal(state) && reached[static_cast<std::size_t>(state)]);
    EXPECT_TRUE(ends) << name_of(from);
  }
}

TYPED_TEST(StateTables, HaveNoWayOutOfAnEndAndNoneBackToTheBeginningOrToTheSameState) {
  for (const TypeParam from : this->all()) {
    EXPECT_FALSE(may_follow(from, from)) << name_of(from);
    EXPECT_FALSE(may_follow(from, TypeParam::kCreated)) << name_of(from);
    for (const TypeParam to : this->all()) {
      EXPECT_FALSE(is_terminal(from) && may_follow(from, to))
          << name_of(from) << " to " << name_of(to);
    }
  }
}

TYPED_TEST(StateTables, AreWhatMovingAStateGoesBy) {
  for (const TypeParam from : this->all()) {
    for (const TypeParam to : this->all()) {
      TypeParam state = from;
      if (may_follow(from, to)) {
        move_state("thing 'a'", state, to);
        EXPECT_EQ(state, to);
        continue;
      }
      EXPECT_THROW(move_state("thing 'a'", state, to), ForbiddenMove);
      EXPECT_EQ(state, from);
    }
  }
}

TEST(ForbiddenMove, NamesTheThingAndBothStates) {
  JobStatus status = JobStatus::kFinished;
  try {
    move_state("job 'count' (0123)", status, JobStatus::kRunning);
    FAIL() << "it was allowed";
  } catch (const ForbiddenMove& error) {
    EXPECT_EQ(error.what(), std::string("internal error: job 'count' (0123) is ") +
                                name_of(JobStatus::kFinished) + " and can't become " +
                                name_of(JobStatus::kRunning) + ": report this as a bug of Freshet");
  }
}

TEST(SubtaskStates, EnterOnlyWhatMayFollow) {
  SubtaskStates states("job", 2);
  EXPECT_THROW(states.enter_unless_ended(0, SubtaskState::kRunning, "too early"), ForbiddenMove);
  EXPECT_EQ(states.of(0), SubtaskState::kCreated);
  states.enter(0, SubtaskState::kScheduled, "a slot");
  states.enter(0, SubtaskState::kDeploying, "asked");
  states.enter(0, SubtaskState::kRunning, "opened");
  states.enter(0, SubtaskState::kFinished, "done");
  states.enter_unless_ended(0, SubtaskState::kCanceling, "too late");
  EXPECT_EQ(states.of(0), SubtaskState::kFinished);
  EXPECT_EQ(states.count(SubtaskState::kFinished), 1u);
  EXPECT_EQ(states.of(1), SubtaskState::kCreated);
}

}  // namespace
}  // namespace freshet::testing
