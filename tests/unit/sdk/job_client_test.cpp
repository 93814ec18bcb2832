#include "freshet/job_client.h"

#include <gtest/gtest.h>

namespace freshet {
namespace {

TEST(JobFailed, NamesOperatorSubtaskRecordAndMessage) {
  const JobFailed error("word count", {"parse", 2, 17, "bad number"});
  EXPECT_STREQ(error.what(),
               "job 'word count' failed: operator 'parse' (subtask 2) at record 17: bad number");
  EXPECT_EQ(error.failure().record, 17u);
}

TEST(JobFailed, LeavesOutWhatIsNotKnown) {
  EXPECT_STREQ(JobFailed("j", {"parse", 0, 0, "can't open"}).what(),
               "job 'j' failed: operator 'parse' (subtask 0): can't open");
  EXPECT_STREQ(JobFailed("j", {"", 0, 0, "lost its worker"}).what(),
               "job 'j' failed: lost its worker");
  EXPECT_STREQ(JobFailed("j", {"", 0, 0, ""}).what(), "job 'j' failed: no message");
}

TEST(JobCanceled, NamesTheJob) { EXPECT_STREQ(JobCanceled("j").what(), "job 'j' was canceled"); }

TEST(JobStatus, StaysOnceItIsTerminal) {
  EXPECT_TRUE(is_terminal(JobStatus::kFinished));
  EXPECT_TRUE(is_terminal(JobStatus::kFailed));
  EXPECT_TRUE(is_terminal(JobStatus::kCanceled));
  EXPECT_FALSE(is_terminal(JobStatus::kCanceling));
  EXPECT_FALSE(is_terminal(JobStatus::kRestarting));
  EXPECT_STREQ(name_of(JobStatus::kCanceling), "canceling");
}

}  // namespace
}  // namespace freshet
