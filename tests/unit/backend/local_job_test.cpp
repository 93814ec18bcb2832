#include "backend/local_job.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "clock/clock.h"
#include "freshet/plugin/module.h"
#include "operator_jobs.h"

FRESHET_OPERATOR("test.made", freshet::testing::MadeOperator);

namespace freshet::testing {
using namespace core;
namespace {

// Its output can't be committed.
class Refusing final : public QuietOperator {
 public:
  std::optional<std::string> prepare_commit(std::uint32_t) override { return "output"; }
  std::string commit_prepared(std::uint32_t, std::string_view) override {
    throw CommitRefused("never");
  }
};

TEST(LocalJob, ThatFailsWhileItCommitsIsNotCanceledAnyMore) {
  OperatorJob graph("refused");
  const auto source = graph.source("source", {{"row"}});
  graph.connect(source, graph.add("sink", [] { return std::make_unique<Refusing>(); }, {}));
  LocalJob job(SystemClock::instance(), graph.completed().to_bytes(), Configuration());
  std::atomic<bool> canceled{false};
  // On the thread that has entered the state, before it goes on.
  const auto fourth =
      job.next_message(3).then([&](const Future<std::optional<JobMessage>>& message) {
        EXPECT_EQ(message.get()->status, JobStatus::kFailing);
        canceled = job.cancel();
      });
  job.start();
  ASSERT_TRUE(job.result().wait_for(60'000));
  EXPECT_TRUE(canceled) << "it is no longer committing";
  EXPECT_EQ(job.result().get().status, JobStatus::kFailed);
  std::vector<JobStatus> states;
  std::uint64_t last = 0;
  while (const auto message = job.next_message(last).get()) {
    states.push_back(message->status);
    last = message->number;
  }
  EXPECT_EQ(states, (std::vector{JobStatus::kCreated, JobStatus::kRunning, JobStatus::kCommitting,
                                 JobStatus::kFailing, JobStatus::kFailed}));
}

}  // namespace
}  // namespace freshet::testing
