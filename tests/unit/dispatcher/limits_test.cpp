// How much a job manager keeps, says and logs, whatever it is brought.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "bounds/bounds.h"
#include "captured_log.h"
#include "scenario.h"

namespace freshet::testing {
using namespace core;
namespace {

std::string large(std::size_t bytes) { return "it begins " + std::string(bytes, '.') + " it ends"; }

::testing::AssertionResult is_cut(const std::string& text, std::size_t most) {
  if (text.size() <= most && text.starts_with("it begins ...") && text.ends_with("... it ends") &&
      text.find("bytes left out") != std::string::npos) {
    return ::testing::AssertionSuccess();
  }
  return ::testing::AssertionFailure() << text.size() << " bytes: " << text.substr(0, 100);
}

// Seven of 10 MB each made every list too large for a frame.
TEST(Limits, TextsAreCutWhereTheyComeIn) {
  Scenario scenario;
  constexpr std::size_t kReason = 10'000'000;
  auto& here = scenario.cluster.add_client("here").cluster();
  for (int i = 0; i < 7; ++i) {
    const std::string id = Scenario::id(i);
    scenario.wait(here.mains()->begin(id, large(100'000), "ticket"));
    scenario.wait(here.mains()->end(id, 1, {false, false, large(kReason)}));
  }
  const auto applications = scenario.wait(scenario.client.applications());
  ASSERT_EQ(applications.size(), 7u);
  for (const ApplicationInfo& each : applications) {
    EXPECT_TRUE(is_cut(each.name, kMostNameBytes));
    EXPECT_TRUE(is_cut(each.reason, kMostListedBytes));
  }
  EXPECT_TRUE(is_cut(scenario.wait(scenario.client.application(Scenario::id(3))).reason,
                     kMostFailureBytes));
}

TEST(Limits, ListsComeInPagesThatAreOneListTogether) {
  Scenario scenario;
  const std::size_t count = 1'500;
  std::vector<std::string> ids;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string id = Scenario::id(static_cast<int>(i));
    const std::string name = std::string(kMostNameBytes - 10, 'n') + std::to_string(i);
    // More slots than there are: it waits.
    scenario.wait(scenario.client.submit_job(
        simulated_job(id, name, SimulatedCluster::module_sha256(), 9, {}, ""), ""));
    ids.push_back(id);
    bytes += name.size();
  }
  ASSERT_GT(bytes, std::size_t{1} << 20) << "one page holds no more";
  const auto jobs = scenario.wait(scenario.client.jobs());
  ASSERT_EQ(jobs.size(), count);
  const auto applications = scenario.wait(scenario.client.applications());
  ASSERT_EQ(applications.size(), count);
  for (std::size_t i = 0; i < count; ++i) {
    EXPECT_EQ(jobs[i].job_id, ids[i]);
    ASSERT_EQ(applications[i].jobs.size(), 1u);
    EXPECT_EQ(applications[i].jobs[0].job_id, ids[i]);
  }
}

// All of them would be above the limit of a frame, and cut the link of whoever asks.
TEST(Limits, AnApplicationHasItsLastJobsAndTheNumberOfThoseBefore) {
  Scenario scenario;
  auto& here = scenario.cluster.add_client("here").cluster();
  const std::string id = Scenario::id(77);
  scenario.wait(here.mains()->begin(id, "app.so", "ticket"));
  const std::size_t more = 25;
  const std::string name(kMostNameBytes, 'n');
  std::string last;
  for (std::size_t i = 0; i < kMostListedJobs + more; ++i) {
    last = Scenario::id(static_cast<int>(1'000 + i));
    // More slots than there are: it waits.
    scenario.wait(here.submit_job(
        simulated_job(last, name, SimulatedCluster::module_sha256(), 9, {}, ""), id));
  }
  const auto is_bounded = [&](const ApplicationInfo& info) {
    EXPECT_EQ(info.jobs.size(), kMostListedJobs);
    EXPECT_EQ(info.jobs_left_out, more);
    EXPECT_EQ(info.jobs.front().job_id, Scenario::id(static_cast<int>(1'000 + more)));
    EXPECT_EQ(info.jobs.back().job_id, last);
  };
  is_bounded(scenario.wait(scenario.client.application(id)));
  const auto all = scenario.wait(scenario.client.applications());
  ASSERT_EQ(all.size(), 1u);
  is_bounded(all[0]);
  EXPECT_EQ(scenario.wait(scenario.client.jobs()).size(), kMostListedJobs + more);
}

TEST(Limits, AnIdIsFoundByItsBeginning) {
  Scenario scenario;
  auto& here = scenario.cluster.add_client("here").cluster();
  for (const char* id : {"abc", "abcd", "abx", "b"}) {
    scenario.wait(here.mains()->begin(id, std::string("name of ") + id, "ticket"));
  }
  const std::string job_id = "ab" + Scenario::id(1).substr(2);
  scenario.wait(scenario.client.submit_job(
      simulated_job(job_id, "a job", SimulatedCluster::module_sha256(), 9, {}, ""), ""));
  const auto find = [&](const std::string& beginning) {
    return scenario.wait(scenario.client.find(beginning));
  };
  EXPECT_EQ(find("ab").count, 4u);
  EXPECT_EQ(find("ab").jobs.at(0).job_id, job_id);
  const IdMatches one = find("abx");
  EXPECT_EQ(one.count, 1u);
  EXPECT_EQ(one.applications.at(0).name, "name of abx");
  const IdMatches whole = find("abc");
  EXPECT_EQ(whole.count, 1u) << "a whole id stands for itself";
  EXPECT_EQ(whole.applications.at(0).id, "abc");
  EXPECT_EQ(find(job_id).jobs.at(0).job_name, "a job");
  EXPECT_EQ(find("nothing").count, 0u);
  for (int i = 0; i < 20; ++i) {
    scenario.wait(here.mains()->begin("many-" + std::to_string(i), "one of many", "ticket"));
  }
  EXPECT_EQ(find("many-").count, 20u);
  EXPECT_EQ(find("many-").applications.size(), 10u);
}

// How many of the lines hold one of these words.
std::size_t lines_with(const CapturedLog& log, const std::vector<std::string>& words) {
  std::size_t count = 0;
  for (const std::string& line : log.lines()) {
    for (const std::string& word : words) count += line.find(word) != std::string::npos;
  }
  return count;
}

// Two logs count, the job manager's own and that of its task managers: each has 100 lines at once
// and one for each second.
TEST(Limits, PeersThatComeAndGoDoNotFillTheLog) {
  Scenario scenario;
  SimulatedCluster& cluster = scenario.cluster;
  const CapturedLog log;
  const std::int64_t began_ms = cluster.now_ms();
  constexpr int kTimes = 1'000;
  for (int i = 0; i < kTimes; ++i) {
    SimulatedCluster::Client& client = cluster.add_client("guest");
    scenario.wait(client.cluster().status());
    client.leave();
    cluster.end_client("guest");
    ASSERT_TRUE(cluster.run_until([&] { return !cluster.has_client("guest"); }, 60'000));
  }
  for (int i = 0; i < kTimes; ++i) {
    cluster.crash_task_manager(1);
    ASSERT_TRUE(cluster.run_until(
        [&] { return cluster.job_manager()->task_managers().size() == 1; }, 60'000));
    cluster.start_task_manager(1);
    ASSERT_TRUE(cluster.run_until(
        [&] { return cluster.job_manager()->task_managers().size() == 2; }, 60'000));
  }
  const auto seconds = static_cast<std::size_t>((cluster.now_ms() - began_ms) / 1'000);
  const std::size_t lines = lines_with(log, {"is gone", "is lost", "offers 2 slots"});
  EXPECT_LE(lines, 2 * (100 + seconds + 1)) << "of " << 4 * kTimes;
  EXPECT_LT(2 * (100 + seconds + 1), 2 * kTimes) << "the limit was reached";
  EXPECT_GE(lines, 200u) << "a cluster of usual size is logged whole";
  EXPECT_LT(lines, log.lines().size()) << "the task managers' own lines are there, too";
}

}  // namespace
}  // namespace freshet::testing
