#include "backend/executors.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "freshet/options.h"
#include "freshet/plugin/job_graph.h"
#include "freshet/plugin/stream_graph.h"
#include "selection/executor_selection.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

// What the executor gets: its submissions wait for release().
class Quay final : public ExecutorServices {
 public:
  JobGraph translate(const Pipeline&, const Configuration&) override { return {}; }
  std::unique_ptr<JobClient> run_in_process(const std::string&, const Configuration&) override {
    released_.wait();
    throw InvalidInput("the ferry has sunk");
  }
  std::shared_ptr<ClusterClient> cluster(const Configuration&) override { return nullptr; }
  std::string application_id() const override {
    ++executors;
    return {};
  }
  void release() { release_.set_value(); }

  mutable std::atomic<int> executors{0};

 private:
  std::promise<void> release_;
  const std::shared_future<void> released_ = release_.get_future().share();
};

class ExecutorsOfAProcess : public testing::Test {
 protected:
  ExecutorsOfAProcess() {
    fs::copy_file(FRESHET_TEST_FERRY, folder_ / "ferry.so");
    fs::copy_file(test_modules::path("moor"), folder_ / "moor.so");
    process_.set(target("ferry"));
  }
  Configuration target(const std::string& name) const {
    Configuration configuration;
    configuration.set(options::kExecutionTarget, name);
    configuration.set(options::kPluginDirs, {folder_.path().native()});
    return configuration;
  }

  const ScratchFolder folder_;
  ProcessConfiguration process_;
  Quay quay_;
  Executors executors_{process_, quay_};
  const StreamGraph pipeline_;
};

TEST_F(ExecutorsOfAProcess, SubmissionsAreWaitedFor) {
  EXPECT_FALSE(executors_.has_submitted());
  executors_.wait_for_submissions();  // there is none
  const auto client = executors_.execute(pipeline_, target("ferry"));
  EXPECT_TRUE(executors_.has_submitted());
  EXPECT_FALSE(client.ready());
  const auto waiting =
      std::async(std::launch::async, [this] { executors_.wait_for_submissions(); });
  EXPECT_EQ(waiting.wait_for(std::chrono::seconds(0)), std::future_status::timeout);
  quay_.release();
  waiting.wait();
  EXPECT_TRUE(client.ready());
  EXPECT_EQ(error_of<InvalidInput>([&] { client.get(); }), "the ferry has sunk");
}

TEST_F(ExecutorsOfAProcess, OneIsMadeOfEachFactory) {
  quay_.release();
  for (int job = 0; job < 3; ++job) executors_.execute(pipeline_, target("ferry")).wait();
  EXPECT_EQ(quay_.executors, 1);
}

TEST_F(ExecutorsOfAProcess, ATargetOfWholeApplicationsIsRefusedWithWhatToDoInstead) {
  quay_.release();
  EXPECT_EQ(error_of<InvalidInput>([&] { executors_.execute(pipeline_, target("moor")).wait(); }),
            "execute() was called in a program, and target 'moor' takes whole applications with "
            "their main: run it by 'fr-run APP --target=moor', or take target 'moor-session' and "
            "a cluster that runs already (fr cluster start)");
  EXPECT_FALSE(executors_.has_submitted());
}

TEST_F(ExecutorsOfAProcess, ATargetOfNobodyIsRefusedWithWhoWasAsked) {
  quay_.release();
  const std::string error =
      error_of<NoExecutor>([&] { executors_.execute(pipeline_, target("storm")).wait(); });
  EXPECT_TRUE(contains(error, "no executor for target 'storm'")) << error;
  EXPECT_TRUE(contains(error, "deployer plugin 'moor'")) << error;
  EXPECT_TRUE(contains(error, "not in this weather")) << error;
}

}  // namespace
}  // namespace freshet::core
