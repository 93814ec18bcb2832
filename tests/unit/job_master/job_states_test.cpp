#include "job_master/job_states.h"

#include <gtest/gtest.h>

namespace freshet::testing {
using namespace core;
namespace {

constexpr std::uint8_t kJobStates = 9;
constexpr std::uint8_t kSubtaskStates = 8;

TEST(JobStates, AreNotLeftOnceTheyAreTheEnd) {
  for (std::uint8_t from = 0; from < kJobStates; ++from) {
    for (std::uint8_t to = 0; to < kJobStates; ++to) {
      const auto job = static_cast<JobStatus>(from);
      EXPECT_FALSE(is_terminal(job) && may_follow(job, static_cast<JobStatus>(to)));
    }
  }
  for (std::uint8_t from = 0; from < kSubtaskStates; ++from) {
    for (std::uint8_t to = 0; to < kSubtaskStates; ++to) {
      const auto subtask = static_cast<SubtaskState>(from);
      EXPECT_FALSE(is_terminal(subtask) && may_follow(subtask, static_cast<SubtaskState>(to)));
    }
  }
}

TEST(JobStates, LeadToAnEndFromEverywhere) {
  for (std::uint8_t from = 0; from < kJobStates; ++from) {
    std::vector<bool> reached(kJobStates);
    reached[from] = true;
    for (int round = 0; round < kJobStates; ++round) {
      for (std::uint8_t a = 0; a < kJobStates; ++a) {
        for (std::uint8_t b = 0; b < kJobStates; ++b) {
          if (reached[a] && may_follow(static_cast<JobStatus>(a), static_cast<JobStatus>(b))) {
            reached[b] = true;
          }
        }
      }
    }
    const auto ends = [&](JobStatus end) { return reached[static_cast<std::size_t>(end)]; };
    EXPECT_TRUE(ends(JobStatus::kFinished) || ends(JobStatus::kFailed) ||
                ends(JobStatus::kCanceled))
        << name_of(static_cast<JobStatus>(from));
  }
}

TEST(SubtaskStates, EnterOnlyWhatMayFollow) {
  SubtaskStates states("job", 2);
  states.enter_if_allowed(0, SubtaskState::kRunning, "too early");
  EXPECT_EQ(states.of(0), SubtaskState::kCreated);
  states.enter(0, SubtaskState::kScheduled, "a slot");
  states.enter(0, SubtaskState::kDeploying, "asked");
  states.enter(0, SubtaskState::kRunning, "opened");
  states.enter(0, SubtaskState::kFinished, "done");
  states.enter_if_allowed(0, SubtaskState::kCanceling, "too late");
  EXPECT_EQ(states.of(0), SubtaskState::kFinished);
  EXPECT_EQ(states.count(SubtaskState::kFinished), 1u);
  EXPECT_EQ(states.of(1), SubtaskState::kCreated);
}

}  // namespace
}  // namespace freshet::testing
