// execute_and_collect() of a job that is started anew while its rows are read.
#include <gtest/gtest.h>
#include <signal.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class CollectedRows : public ClusterTest {
 protected:
  const Words restarts_{"-D", "restart-strategy.type=fixed-delay",
                        "-D", "restart-strategy.fixed-delay.attempts=3",
                        "-D", "restart-strategy.fixed-delay.delay=10 ms"};
  Words with_restarts(const Words& words) const {
    Words all = restarts_;
    all.insert(all.end(), words.begin(), words.end());
    return all;
  }
};

TEST_F(CollectedRows, AreThoseOfTheNextAttemptIfNoneHasBeenHandedOut) {
  start_session("s");
  const std::string file = scratch_ / "once";
  const Outcome outcome = in_session(with_restarts({"collect-fail-once", file}));
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "200000 rows, 20000100000\n") << outcome.text();
  EXPECT_TRUE(std::filesystem::exists(file + ".failed"));
  stop_session("s");
}

TEST_F(CollectedRows, ThatHaveBeenHandedOutKeepTheirJobFromBeingRunAgain) {
  start_session("s");
  const std::string file = scratch_ / "later";
  const Outcome outcome = in_session(with_restarts({"collect-fail-later", file}));
  EXPECT_EQ(outcome.code, 70) << outcome.text();
  EXPECT_TRUE(says(outcome, "job 'collecting anew' failed")) << outcome.text();
  EXPECT_TRUE(says(outcome,
                   "the first attempt fails; it is not run again, because rows of it have "
                   "been read already"))
      << outcome.text();
  const auto list = fr_json({"list"});
  EXPECT_EQ(list[0]["jobs"][0]["status"], "failed") << list;
  stop_session("s");
}

TEST_F(CollectedRows, OfAJobWhoseWorkerIsKilledComeFromTheNextOne) {
  start_session("s");
  const std::string gate = scratch_ / "gate";
  ChildProcess client(line([&] {
                        Words words{"--target=standalone-session"};
                        for (const std::string& word : with_restarts({"collect-late", gate}))
                          words.push_back(word);
                        return words;
                      }()),
                      surroundings());
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(gate + ".running"); }));
  std::filesystem::remove(gate + ".running");
  ASSERT_EQ(processes("worker").size(), 1u) << list_of_processes();
  ::kill(processes("worker")[0], SIGKILL);
  ASSERT_TRUE(eventually([&] { return std::filesystem::exists(gate + ".running"); }));
  std::ofstream(gate) << "";
  const Outcome outcome = client.wait(60);
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "100000 rows, 5000050000\n") << outcome.text();
  stop_session("s");
}

// Without another attempt it fails as it would have.
TEST_F(CollectedRows, OfAJobThatFailsForGoodSayWhy) {
  start_session("s");
  const Outcome outcome = in_session({"collect-fail-once", scratch_ / "once"});
  EXPECT_NE(outcome.code, 0);
  EXPECT_TRUE(says(outcome, "the first attempt fails")) << outcome.text();
  EXPECT_FALSE(says(outcome, "started anew")) << outcome.text();
  stop_session("s");
}

}  // namespace
