// A file for a front end on a cluster: it travels, and the runner finds the front end for it.
#include <gtest/gtest.h>

#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class PipelineFile : public ClusterTest {
 protected:
  Words counting(const std::string& target, const std::string& output) {
    return {path_from("FRESHET_TEST_WORD_COUNT_YAML"), "--target=" + target,
            "input=" + scratch_.write("in", "to be or not to be\n"), "output=" + output};
  }
};

TEST_F(PipelineFile, RunsOnAClusterAsItDoesHere) {
  const Outcome local = fr_run(counting("local", scratch_ / "local"));
  ASSERT_EQ(local.code, 0) << local.text();
  const Outcome own = fr_run(counting("standalone", scratch_ / "own"));
  EXPECT_EQ(own.code, 0) << own.text();
  start_session("s");
  const Outcome session = fr_run(counting("standalone-session", scratch_ / "session"));
  EXPECT_EQ(session.code, 0) << session.text();
  Words in_client = counting("standalone-session", scratch_ / "client");
  in_client.insert(in_client.begin() + 1, {"-D", "execution.main=client"});
  const Outcome client = fr_run(in_client);
  EXPECT_EQ(client.code, 0) << client.text();
  const auto list = fr_json({"list", "--cluster-id=s"});  // the first one may be ending still
  ASSERT_EQ(list.size(), 2u) << list;
  for (const auto& application : list) {
    EXPECT_EQ(application["name"], "word_count.yaml") << list;
    EXPECT_EQ(application["status"], "finished") << list;
    EXPECT_EQ(application["jobs"][0]["name"], "word count") << list;
  }
  stop_session("s");
  const auto sorted = [](const std::string& file) {
    auto lines = lines_of(text_of_file(file));
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  EXPECT_EQ(sorted(scratch_ / "local").size(), 4u);
  for (const char* other : {"own", "session", "client"})
    EXPECT_EQ(sorted(scratch_ / other), sorted(scratch_ / "local")) << other;
}

TEST_F(PipelineFile, ItsRelativePathsBeginWhereItWasSubmitted) {
  start_session("s");
  Surroundings client = surroundings();
  client.folder = scratch_ / "client";
  scratch_.write("client/in", "to be or not to be\n");
  for (const char* main : {"cluster", "client"}) {
    const auto count = [&](const std::string& input) {
      return run(line({path_from("FRESHET_TEST_WORD_COUNT_YAML"), "--target=standalone-session",
                       "-D", std::string("execution.main=") + main, "input=" + input,
                       std::string("output=out-of-") + main}),
                 client);
    };
    const Outcome outcome = count("in");
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    EXPECT_EQ(lines_of(text_of_file(client.folder + "/out-of-" + main)).size(), 4u) << main;
    const Outcome missing = count("on");
    EXPECT_TRUE(says(missing, "can't open '" + client.folder + "/on'")) << missing.text();
  }
  stop_session("s");
}

TEST_F(PipelineFile, WhatIsWrongWithItIsToldByItsOwnNameAlone) {
  const std::string file = scratch_.write("bad.yaml", "freshet-pipeline: bad\nsteps: 7\n");
  const Outcome outcome = fr_run({file, "--target=standalone"});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_TRUE(says(outcome, "bad.yaml:2:")) << outcome.text();
  EXPECT_FALSE(says(outcome, state_)) << outcome.text();
  const Outcome shipped = fr_run({file, "--target=standalone", "--ship", file, "x"});
  EXPECT_EQ(shipped.code, 65) << shipped.text();
  EXPECT_TRUE(says(shipped, "--ship is for applications")) << shipped.text();
}

TEST_F(PipelineFile, OneThatNoFrontEndKnowsIsRefusedWithWhereTheClusterLooked) {
  const Outcome outcome =
      fr_run({scratch_.write("notes.txt", "no pipeline"), "--target=standalone"});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_TRUE(says(outcome,
                   "'notes.txt' is no application (not an ELF file), and no front end "
                   "recognises it"))
      << outcome.text();
}

}  // namespace
