// What a program gets of jobs on a cluster: rows, and clients of jobs that it did not submit.
#include <gtest/gtest.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class Clients : public ClusterTest {};

TEST_F(Clients, CollectRowsOfAJobOnTheCluster) {
  start_session("s");
  for (const char* where : {"execution.main=cluster", "execution.main=client"}) {
    const Outcome outcome =
        in_session({"-D", where, "-D", "parallelism.default=2", "collect", "20000"});
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_EQ(outcome.output, "20000 rows, 400020000\n") << outcome.text();
  }
  stop_session("s");
}

TEST_F(Clients, CollectNothingFromAnEmptyJob) {
  start_session("s");
  const Outcome outcome = in_session({"collect", "0"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "0 rows, 0\n") << outcome.text();
  stop_session("s");
}

TEST_F(Clients, FindAJobByItsIdAlone) {
  start_session("s");
  ASSERT_EQ(in_session({"-d", "leave-endless", scratch_ / "running"}).code, 0);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(scratch_ / "running"); }));
  const std::string job = fr_json({"list"})[0]["jobs"][0]["id"];
  const Outcome watched = in_session({"-D", "execution.main=client", "watch", job});
  EXPECT_EQ(watched.code, 0) << watched.text();
  EXPECT_EQ(watched.output, "left alone is running, a subtask running, then canceled\n")
      << watched.text();
  const Outcome unknown = in_session({"-D", "execution.main=client", "watch", "nowhere"});
  EXPECT_NE(unknown.code, 0);
  EXPECT_TRUE(says(unknown, "job 'nowhere' is not known here")) << unknown.text();
  stop_session("s");
}

}  // namespace
