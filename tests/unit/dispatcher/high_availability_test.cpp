#include "high_availability/high_availability.h"

#include <gtest/gtest.h>

namespace freshet::testing {
namespace {

TEST(ElectionInMemory, LetsOneLeadAndTheNextWhenItGivesUp) {
  ElectionInMemory election;
  std::string granted;
  for (const char* candidate : {"a", "b", "c"}) {
    election.campaign(candidate, [&granted, candidate] { granted += candidate; });
  }
  EXPECT_EQ(granted, "a");
  election.give_up("b");
  EXPECT_EQ(granted, "a") << "it did not lead";
  election.give_up("a");
  EXPECT_EQ(granted, "ac");
  EXPECT_EQ(election.leader(), "c");
  election.give_up("a");
  EXPECT_EQ(election.leader(), "c") << "giving up may be repeated";
}

TEST(NoElection, LetsEveryoneLeadAtOnce) {
  NoElection election;
  int granted = 0;
  election.campaign("a", [&] { ++granted; });
  election.campaign("b", [&] { ++granted; });
  EXPECT_EQ(granted, 2);
}

TEST(StoresInMemory, KeepGraphsUntilRemovedAndResultsForGood) {
  JobGraphsInMemory graphs;
  graphs.put("1", "one");
  graphs.put("2", "two");
  graphs.remove("1");
  graphs.remove("1");
  EXPECT_EQ(graphs.all(), (std::map<std::string, std::string>{{"2", "two"}}));
  JobResultsInMemory results;
  JobResult result;
  result.job_id = "1";
  result.status = JobStatus::kFinished;
  results.put(result);
  EXPECT_EQ(results.find("1")->status, JobStatus::kFinished);
  EXPECT_FALSE(results.find("2"));
}

TEST(NoStores, KeepNothing) {
  NoJobGraphs graphs;
  graphs.put("1", "one");
  EXPECT_TRUE(graphs.all().empty());
  NoJobResults results;
  results.put({});
  EXPECT_FALSE(results.find(""));
}

}  // namespace
}  // namespace freshet::testing
