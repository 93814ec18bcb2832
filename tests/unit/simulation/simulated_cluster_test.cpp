#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <cstdlib>
#include <tuple>
#include <vector>

#include "application_cluster.h"
#include "rare_path_counts.h"
#include "scale.h"
#include "states/states.h"
#include "workload.h"

namespace freshet::testing {
using namespace core;
namespace {

// FRESHET_TEST_SEED replays one seed, with the log of all roles.
std::uint64_t seed_to_replay() {
  const char* text = std::getenv("FRESHET_TEST_SEED");
  return text ? std::strtoull(text, nullptr, 10) : 0;
}

class SimulatedClusters : public ::testing::Test {
 protected:
  void SetUp() override {
    level_ = spdlog::get_level();
    spdlog::set_level(seed_to_replay() ? spdlog::level::debug : spdlog::level::off);
  }
  void TearDown() override { spdlog::set_level(level_); }

 private:
  spdlog::level::level_enum level_ = spdlog::level::info;
};

// What was found; a state that may not follow another, which is thrown, as well.
template <class Run>
std::vector<std::string> breaches_of(Run& workload) {
  try {
    return workload.run();
  } catch (const ForbiddenMove& error) {
    return {error.what()};
  }
}

std::string text_of(const std::vector<std::string>& breaches) {
  std::string text;
  for (const std::string& breach : breaches) text += "  " + breach + "\n";
  return text;
}

// Every fifth one is the life of a cluster that holds one application.
bool is_of_one_application(std::uint64_t seed) { return seed % 5 == 0; }

// Seeds from `first` on until one shows the bug; 0: none did.
std::uint64_t first_seed_that_finds(WorkloadOptions options, std::uint64_t seeds) {
  for (options.seed = 1; options.seed <= seeds; ++options.seed) {
    if (!Workload(options).run().empty()) return options.seed;
  }
  return 0;
}

TEST_F(SimulatedClusters, HoldsForEverySeed) {
  // All of them but under a sanitizer.
  const int seeds = test_scale() <= 4 ? 1'000 : scaled(1'000, 10);
  const std::uint64_t replayed = seed_to_replay();
  const std::uint64_t first = replayed ? replayed : 1;
  const std::uint64_t last = replayed ? replayed : static_cast<std::uint64_t>(seeds);
  std::map<std::string, int> ends;
  RarePathTotals rare_paths;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const auto run = [&](auto&& workload) {
      const auto breaches = breaches_of(workload);
      EXPECT_TRUE(breaches.empty())
          << "seed " << seed << " (replay: FRESHET_TEST_SEED=" << seed << "):\n"
          << text_of(breaches);
      for (const auto& [end, count] : workload.ends()) ends[end] += count;
      rare_paths.add(workload.rare_paths());
    };
    WorkloadOptions options;
    options.seed = seed;
    if (is_of_one_application(seed)) {
      run(ApplicationClusterWorkload(options));
    } else {
      run(Workload(options));
    }
  }
  for (const auto& [end, count] : ends) RecordProperty(end, count);
  if (replayed) return;
  // It proves nothing unless it gets everywhere.
  std::vector<const char*> everywhere{"application finished", "application failed",
                                      "application canceled", "job finished",
                                      "job failed",           "job canceled"};
  if (seeds >= 1'000) {
    everywhere.insert(everywhere.end(),
                      {"main finished", "main failed", "main canceled", "main lost",
                       "main left without a word", "cluster finished", "cluster failed",
                       "cluster canceled", "cluster without its job manager"});
  }
  for (const char* end : everywhere) EXPECT_GT(ends[end], 0) << end;
  for (const char* whose : {"link: ", "client: ", "job manager: ", "task manager: ", "job: "})
    rare_paths.expect_each_taken(whose);
}

TEST(RarePaths, AreTakenInASimulationAloneAndOneThatNoSeedTakesIsNamed) {
  if (test_scale() > 4) return;
  RarePathTotals totals;
  for (int i = 0; i < 1'000; ++i) EXPECT_FALSE(takes_rare_path(RarePath::kFrameLost));
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    SeededRarePaths paths(seed, /*offers=*/true);
    for (int i = 0; i < 1'000; ++i) static_cast<void>(takes_rare_path(RarePath::kStoreUnavailable));
    totals.add(paths.counts());
  }
  totals.expect_each_taken("high availability: ");
  EXPECT_NONFATAL_FAILURE(totals.expect_each_taken("link: a frame is lost"),
                          "no seed has taken the rare path 'link: a frame is lost");
  EXPECT_FALSE(takes_rare_path(RarePath::kStoreUnavailable));
}

TEST_F(SimulatedClusters, EndsAllWorkWithoutFaults) {
  for (std::uint64_t seed = 1; seed <= static_cast<std::uint64_t>(scaled(100, 5)); ++seed) {
    WorkloadOptions options;
    options.seed = seed;
    options.faults = false;
    EXPECT_EQ(text_of(Workload(options).run()), "") << "seed " << seed;
  }
}

TEST_F(SimulatedClusters, ReplaysASeedExactly) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    WorkloadOptions options;
    options.seed = seed;
    const auto run = [&](auto&& workload) {
      const std::string breaches = text_of(workload.run());
      return std::tuple(breaches, workload.trace_hash(), workload.steps());
    };
    const auto replay = [&] {
      return is_of_one_application(seed) ? run(ApplicationClusterWorkload(options))
                                         : run(Workload(options));
    };
    const auto first = replay();
    EXPECT_EQ(first, replay()) << "seed " << seed;
  }
}

TEST_F(SimulatedClusters, FindsALostMessageThatIsNotSentAgain) {
  WorkloadOptions options;
  options.never_resend = true;
  EXPECT_NE(first_seed_that_finds(options, 200), 0u);
}

TEST_F(SimulatedClusters, FindsAMainThatIsLostWithItsLink) {
  WorkloadOptions options;
  options.loses_mains_at_once = true;
  EXPECT_NE(first_seed_that_finds(options, 500), 0u);
}

TEST_F(SimulatedClusters, FindsAJobThatFailsBecauseAHostStartsNoProcess) {
  WorkloadOptions options;
  options.blames_jobs_for_hosts = true;
  EXPECT_NE(first_seed_that_finds(options, 200), 0u);
}

// As it was once: the slots of workers that a task manager kills as it ends are granted again.
TEST_F(SimulatedClusters, FindsAJobThatIsGivenToATaskManagerThatEnds) {
  WorkloadOptions options;
  options.starts_fail_one_in = 0;  // the only host that fails a job is one that ends
  options.blames_jobs_for_hosts = true;
  options.grants_slots_of_ending = true;
  EXPECT_NE(first_seed_that_finds(options, 200), 0u);
}

TEST_F(SimulatedClusters, FindsASlotThatIsFreedTwice) {
  WorkloadOptions options;
  options.frees_slots_twice = true;
  EXPECT_NE(first_seed_that_finds(options, 200), 0u);
}

}  // namespace
}  // namespace freshet::testing
