// Task managers that come when a job waits for slots, and go again; over the simulation.
#include <gtest/gtest.h>

#include "rare_path_counts.h"
#include "scale.h"
#include "scenario.h"

namespace freshet::testing {
using namespace core;
namespace {

SimulatedClusterOptions options(std::uint32_t most) {
  SimulatedClusterOptions options;
  options.task_managers = 1;
  options.slots = 1;
  options.most_task_managers = most;
  return options;
}

JobBehaviour runs_for(std::int64_t milliseconds) {
  JobBehaviour behaviour;
  behaviour.runs_ms = milliseconds;
  return behaviour;
}

class OnDemandScenario : public Scenario {
 public:
  using Scenario::Scenario;
  std::unique_ptr<JobClient> submit(int number, std::uint32_t parallelism, std::int64_t runs_ms,
                                    const std::string& settings = "") {
    return wait(client.submit_job(job(number, parallelism, runs_for(runs_ms), settings), ""));
  }
  std::string detail(int number) {
    for (const JobInfo& job : cluster.job_manager()->dispatcher().jobs())
      if (job.job_id == id(number)) return job.detail;
    return "";
  }
  bool becomes_of_size(std::size_t task_managers) {
    return cluster.run_until([&] { return cluster.processes("task manager") == task_managers; },
                             60'000);
  }
  std::size_t registered() { return cluster.job_manager()->task_managers().size(); }
};

TEST(OnDemand, BringsWhatAJobWaitsForAndLetsItGoOnceItIsIdle) {
  OnDemandScenario scenario(options(5));
  const auto job = scenario.submit(1, 3, 2'000);
  EXPECT_TRUE(scenario.cluster.run_until(
      [&] { return scenario.detail(1).find("task managers were asked for") != std::string::npos; },
      5'000))
      << scenario.detail(1);
  EXPECT_TRUE(scenario.wait(job->result()).succeeded());
  EXPECT_EQ(scenario.registered(), 3u) << "no more than it needs";
  const std::int64_t ended = scenario.cluster.now_ms();
  EXPECT_TRUE(scenario.becomes_of_size(1));
  EXPECT_GE(scenario.cluster.now_ms(), ended + 9'000) << "idle-timeout is 10 s";
  scenario.cluster.run_for(1'000);
  EXPECT_EQ(scenario.registered(), 1u);
  EXPECT_EQ(scenario.cluster.deployed(), std::vector<std::string>{"tm0"}) << "that was deployed";
  EXPECT_EQ(scenario.cluster.resizes(), 2u);
}

// The deployer, asked for so many that one fewer stays, starts another one in its place.
TEST(OnDemand, LetsGoWhatWasStartedBecauseAnotherHadEndedMeanwhile) {
  for (std::int64_t after_ms = 0; after_ms < 150; after_ms += 5) {
    OnDemandScenario scenario(options(3));
    const auto first = scenario.submit(1, 2, 2'000);
    ASSERT_TRUE(scenario.becomes(Scenario::id(1), JobStatus::kRunning));
    const auto second = scenario.submit(2, 1, 4'000);
    EXPECT_TRUE(scenario.wait(first->result()).succeeded());
    EXPECT_TRUE(scenario.wait(second->result()).succeeded());
    ASSERT_EQ(scenario.registered(), 3u);
    ASSERT_TRUE(scenario.cluster.run_until([&] { return scenario.registered() == 2; }, 60'000));
    scenario.cluster.run_for(after_ms);
    scenario.cluster.crash_task_manager(1);  // which was let go, and is out at once
    scenario.cluster.crash_task_manager(2);
    scenario.cluster.run_for(1'000);
    EXPECT_TRUE(scenario.cluster.run_until(
        [&] { return scenario.cluster.deployed() == std::vector<std::string>{"tm0"}; }, 60'000))
        << after_ms << " ms";
  }
}

TEST(OnDemand, BringsNobodyWhereSlotsAreFreeOrOnTheirWay) {
  SimulatedClusterOptions enough = options(5);
  enough.task_managers = 3;
  OnDemandScenario scenario(enough);
  // At once: those deployed have not registered yet.
  EXPECT_TRUE(scenario.wait(scenario.submit(1, 3, 100)->result()).succeeded());
  EXPECT_TRUE(scenario.wait(scenario.submit(2, 2, 100)->result()).succeeded());
  EXPECT_EQ(scenario.cluster.resizes(), 0u);
}

TEST(OnDemand, AsksOnceForSeveralJobsAndAgainForWhatComesLater) {
  OnDemandScenario scenario(options(8));
  const auto first = scenario.submit(1, 2, -1), second = scenario.submit(2, 2, -1);
  ASSERT_TRUE(scenario.becomes(Scenario::id(1), JobStatus::kRunning));
  ASSERT_TRUE(scenario.becomes(Scenario::id(2), JobStatus::kRunning));
  EXPECT_EQ(scenario.registered(), 4u);
  const auto third = scenario.submit(3, 1, 50);
  EXPECT_TRUE(scenario.wait(third->result()).succeeded());
  EXPECT_EQ(scenario.registered(), 5u);
}

TEST(OnDemand, DoesNotAskForAJobThatWouldNeverFit) {
  OnDemandScenario scenario(options(3));
  const auto large = scenario.submit(1, 4, 100, "slot.request-timeout=20 s");
  scenario.cluster.run_for(5'000);
  EXPECT_EQ(scenario.cluster.resizes(), 0u);
  EXPECT_NE(scenario.detail(1).find("needs 4 slots, 1 of 1 are free (task managers: 1); no more "
                                    "than 3 task managers are started (resource-manager.max-task-"
                                    "managers)"),
            std::string::npos)
      << scenario.detail(1);
  // Nor does it hold up what fits.
  EXPECT_TRUE(scenario.wait(scenario.submit(2, 3, 100)->result()).succeeded());
  EXPECT_FALSE(scenario.wait(large->result()).succeeded());
  EXPECT_TRUE(scenario.becomes_of_size(1));
}

TEST(OnDemand, IsOffUnlessItIsAllowed) {
  OnDemandScenario scenario(options(0));
  const auto job = scenario.submit(1, 2, 100, "slot.request-timeout=5 s");
  EXPECT_FALSE(scenario.wait(job->result()).succeeded());
  EXPECT_EQ(scenario.cluster.resizes(), 0u);
}

TEST(OnDemand, GivesUpADeployerThatFailsAndTriesAgainForTheNextJob) {
  SimulatedClusterOptions failing = options(5);
  failing.resizes_fail_one_in = 1;
  OnDemandScenario scenario(failing);
  const auto job = scenario.submit(1, 2, 100, "slot.request-timeout=50 s");
  scenario.cluster.run_for(40'000);
  EXPECT_EQ(scenario.cluster.resizes(), 3u);
  EXPECT_NE(scenario.detail(1).find("were asked for in vain: the host is full"), std::string::npos)
      << scenario.detail(1);
  const auto next = scenario.submit(2, 2, 100, "slot.request-timeout=50 s");
  scenario.cluster.run_for(5'000);
  EXPECT_GT(scenario.cluster.resizes(), 3u);
}

TEST(OnDemand, GivesUpATaskManagerThatNeverRegistersAndTakesItAway) {
  SimulatedClusterOptions lost = options(3);
  lost.lost_starts_one_in = 1;
  OnDemandScenario scenario(lost);
  const auto job = scenario.submit(1, 2, 100, "slot.request-timeout=50 s");
  ASSERT_TRUE(scenario.becomes_of_size(2));
  EXPECT_TRUE(scenario.cluster.run_until(
      [&] { return scenario.detail(1).find("it has not registered") != std::string::npos; },
      20'000))
      << scenario.detail(1);
  EXPECT_FALSE(scenario.wait(job->result()).succeeded());
  EXPECT_TRUE(scenario.becomes_of_size(1)) << "the others were killed";
  // Three came, three went.
  EXPECT_EQ(scenario.cluster.resizes(), 6u);
}

TEST(OnDemand, ReplacesOneThatIsKilledWhileItsJobRestarts) {
  OnDemandScenario scenario(options(3));
  const auto job = scenario.submit(1, 3, -1,
                                   "restart-strategy.type=fixed-delay;restart-strategy.fixed-"
                                   "delay.delay=0 ms");
  ASSERT_TRUE(scenario.becomes(Scenario::id(1), JobStatus::kRunning));
  scenario.cluster.crash_task_manager(2);
  ASSERT_TRUE(scenario.becomes(Scenario::id(1), JobStatus::kRestarting));
  ASSERT_TRUE(scenario.becomes(Scenario::id(1), JobStatus::kRunning));
  EXPECT_EQ(scenario.cluster.deployed(), (std::vector<std::string>{"tm0", "tm1", "tm3"}));
}

TEST(OnDemand, LeavesNothingWhenTheClusterIsShutDownMeanwhile) {
  for (const std::int64_t after : {0, 10, 20, 40, 80}) {
    OnDemandScenario scenario(options(5));
    const auto job = scenario.submit(1, 4, -1);
    scenario.cluster.run_for(after);
    const auto down = scenario.client.shut_down();
    EXPECT_TRUE(scenario.cluster.run_until(
        [&] {
          return scenario.cluster.processes("task manager") == 0 &&
                 scenario.cluster.processes("job manager") == 0;
        },
        60'000))
        << after;
  }
}

// Whatever fails on the way: jobs come to their end, and in the end there are those deployed.
TEST(OnDemand, EndsAsItBeganWhateverFails) {
  const auto seeds = static_cast<std::uint64_t>(scaled(60, 6));
  RarePathTotals rare_paths;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    SimulatedClusterOptions faulty = options(4);
    faulty.seed = seed;
    faulty.rare_paths = true;
    faulty.slots = 1 + static_cast<std::uint32_t>(seed % 3);
    faulty.resizes_fail_one_in = 4;
    faulty.lost_starts_one_in = 4;
    OnDemandScenario scenario(faulty);
    SeededRandom& random = scenario.cluster.random();
    std::vector<std::unique_ptr<JobClient>> jobs;
    for (int i = 1; i <= 6; ++i) {
      jobs.push_back(scenario.submit(i, 1 + static_cast<std::uint32_t>(random.below(6)),
                                     static_cast<std::int64_t>(random.below(3'000)),
                                     "slot.request-timeout=30 s"));
      scenario.cluster.run_for(static_cast<std::int64_t>(random.below(4'000)));
      if (random.one_in(3))
        scenario.cluster.crash_task_manager(1 + static_cast<std::uint32_t>(random.below(3)));
    }
    for (const auto& job : jobs) scenario.wait(job->result());
    // The last word of a deployer that fails may be that it has failed: what is left is idle then.
    scenario.cluster.run_until([&] { return scenario.registered() == 1; }, 60'000);
    EXPECT_EQ(scenario.registered(), 1u) << "seed " << seed;
    EXPECT_TRUE(scenario.cluster.breaches().empty()) << "seed " << seed;
    if (::testing::Test::HasFailure()) return;
    rare_paths.add(scenario.cluster.rare_paths().counts());
  }
  rare_paths.expect_each_taken("resources: ");
}

// ---- what deployers ask -------------------------------------------------------------------------

TEST(Release, TakesThoseThatHaveNotComeThenIdleOnesAndNeverABusyOne) {
  SimulatedClusterOptions three = options(0);
  three.task_managers = 3;
  OnDemandScenario scenario(three);
  const auto job = scenario.submit(1, 1, -1);
  ASSERT_TRUE(scenario.becomes(Scenario::id(1), JobStatus::kRunning));
  std::string busy;
  for (const TaskManagerInfo& each : scenario.wait(scenario.client.status()).task_managers)
    if (each.free_slots == 0) busy = each.id;
  const std::vector<std::string> all{busy, "tm0", "tm1", "tm2", "nobody"};
  using Names = std::vector<std::string>;
  EXPECT_EQ(scenario.wait(scenario.client.release_task_managers(all, 0)), Names{});
  EXPECT_EQ(scenario.wait(scenario.client.release_task_managers(all, 1)), Names{"nobody"});
  const Names two = scenario.wait(scenario.client.release_task_managers(all, 2));
  ASSERT_EQ(two.size(), 2u);
  EXPECT_EQ(two[0], "nobody") << "who was let go counts again, so that it may be asked twice";
  EXPECT_NE(two[1], busy);
  EXPECT_EQ(scenario.wait(scenario.client.release_task_managers(all, 9)).size(), 3u);
  EXPECT_EQ(scenario.registered(), 1u);
  EXPECT_TRUE(scenario.becomes_of_size(1)) << "they have ended";
  EXPECT_EQ(scenario.cluster.job_manager()->dispatcher().jobs().front().status,
            JobStatus::kRunning);
}

TEST(Release, OfANameThatComesLaterEndsIt) {
  SimulatedClusterOptions two = options(0);
  two.task_managers = 2;
  OnDemandScenario scenario(two);
  scenario.cluster.crash_task_manager(1);
  ASSERT_TRUE(scenario.cluster.run_until([&] { return scenario.registered() == 1; }, 10'000));
  scenario.wait(scenario.client.release_task_managers({"tm1"}, 1));
  scenario.cluster.start_task_manager(1);
  EXPECT_TRUE(scenario.becomes_of_size(1));
  EXPECT_EQ(scenario.registered(), 1u);
}

}  // namespace
}  // namespace freshet::testing
