// fr-run URL: the cluster fetches the application, the client reads nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "http_server.h"
#include "own_cluster.h"

namespace {

using namespace freshet::testing;

class ByUrl : public ClusterTest {
 protected:
  // As fr-run has it, which sees a URL where line() expects a path.
  Outcome run_url(const std::string& target, const std::string& url, const Words& words = {}) {
    Words all{path_from("FRESHET_TEST_FR_RUN"), url, "--target=" + target};
    all.insert(all.end(), words.begin(), words.end());
    return run(all, surroundings());
  }
  std::string hash_of(const std::string& file) {
    return run({"/usr/bin/sha256sum", file}, {}).output.substr(0, 64);
  }
  static std::vector<std::string> counts(const std::string& folder) {
    std::vector<std::string> lines;
    for (const std::string& part : names_in(folder))
      for (const std::string& line : lines_of(text_of_file(folder + "/" + part)))
        lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  HttpServer server_;
};

TEST_F(ByUrl, CountsWordsAsLocalDoes) {
  scratch_.write("in/a.txt", "to be or not to be\n");
  scratch_.write("in/b.txt", "that is the question: to sleep\n");
  const Outcome local = fr_run(
      {word_count_, "--target=local", "--input", scratch_ / "in", "--output", scratch_ / "local"});
  ASSERT_EQ(local.code, 0) << local.text();
  server_.on("/apps/word_count.so", ok(text_of_file(word_count_)));
  server_.on("/latest", redirect_to("/apps/word_count.so"));
  const Outcome cluster =
      run_url("standalone", server_.url("/apps/word_count.so") + "#sha256=" + hash_of(word_count_),
              {"--parallelism", "2", "--input", scratch_ / "in", "--output", scratch_ / "cluster"});
  ASSERT_EQ(cluster.code, 0) << cluster.text();
  EXPECT_FALSE(counts(scratch_ / "local").empty());
  EXPECT_EQ(counts(scratch_ / "cluster"), counts(scratch_ / "local"));
  EXPECT_EQ(server_.asked(), 1);
}

TEST_F(ByUrl, WhatCantBeFetchedFailsTheApplicationWithItsReason) {
  server_.on("/word_count.so", ok(text_of_file(word_count_)));
  const std::string text = scratch_.write("text", "the secret of the server");
  server_.on("/text.so", ok(text_of_file(text)));
  const std::string wrong(64, 'a');
  struct Case {
    std::string url;
    std::string told;
  };
  const Case cases[] = {
      {server_.url("/word_count.so"), "over http anybody on the way may change it"},
      {server_.url("/word_count.so") + "#sha256=" + wrong, wrong + " is expected"},
      {server_.url("/missing.so") + "#sha256=" + wrong, "answers 404, expected 200"},
      {server_.url("/text.so") + "#sha256=" + hash_of(text), "no application of Freshet"},
  };
  for (const Case& each : cases) {
    const Outcome outcome = run_url("standalone", each.url);
    EXPECT_NE(outcome.code, 0) << outcome.text();
    EXPECT_TRUE(says(outcome, each.told)) << outcome.text();
    EXPECT_TRUE(says(outcome, each.url.substr(0, each.url.find('#')))) << outcome.text();
    EXPECT_FALSE(says(outcome, "secret")) << outcome.text();
  }
}

TEST_F(ByUrl, ASessionSaysWhatItFetchesAndCanCancelItAndGoesOn) {
  server_.on("/stalls.so", [](Connection& connection) { connection.wait_until_client_leaves(); });
  server_.on("/word_count.so", ok(text_of_file(word_count_)));
  start_session("fetching");
  const std::string url = server_.url("/stalls.so");
  const Outcome submitted =
      run_url("standalone-session", url + "#sha256=" + std::string(64, 'a'), {"-d"});
  ASSERT_EQ(submitted.code, 0) << submitted.text();
  EXPECT_TRUE(eventually([&] { return server_.asked() == 1; }));
  const std::string id = submitted.output.substr(std::string("application ").size(), 32);
  const Outcome status = fr({"status", id});
  EXPECT_NE(status.output.find("fetching '" + url + "'"), std::string::npos) << status.text();
  // Meanwhile it serves another one.
  scratch_.write("in/a.txt", "to be or not to be\n");
  const Outcome other = run_url("standalone-session",
                                server_.url("/word_count.so") + "#sha256=" + hash_of(word_count_),
                                {"--input", scratch_ / "in", "--output", scratch_ / "out"});
  EXPECT_EQ(other.code, 0) << other.text();
  EXPECT_EQ(fr({"cancel", id}).code, 0);
  const Outcome end = fr({"wait", id});
  EXPECT_NE(end.text().find("canceled"), std::string::npos) << end.text();
  stop_session("fetching");
}

}  // namespace
