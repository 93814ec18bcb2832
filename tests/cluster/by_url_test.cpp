// fr-run URL: the cluster fetches the application, the client reads nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
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

  // An application as its bytes are, for another processor.
  static std::string for_another_processor(std::string bytes) {
    constexpr std::size_t kMachine = 18;  // of an ELF header: e_machine
    const bool x86 = bytes.at(kMachine) == 62;
    bytes.at(kMachine) = static_cast<char>(x86 ? 183 : 62);
    return bytes;
  }
  // Of the application that a client was told of: what fr and the log of the job manager tell.
  std::string told_of(const Outcome& client) const {
    const std::string mark = "application '";
    const std::size_t at = client.errors.find(" (", client.errors.find(mark));
    if (at == std::string::npos) return "no application in: " + client.text();
    const std::string id = client.errors.substr(at + 2, 32);
    return client.text() + fr({"status", id}).text() + fr({"logs"}).text() +
           fr({"logs", id}).text();
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
      {server_.url("/text.so") + "#sha256=" + hash_of(text), "no application that runs here"},
  };
  for (const Case& each : cases) {
    const Outcome outcome = run_url("standalone", each.url);
    EXPECT_NE(outcome.code, 0) << outcome.text();
    EXPECT_TRUE(says(outcome, each.told)) << outcome.text();
    EXPECT_TRUE(says(outcome, each.url.substr(0, each.url.find('#')))) << outcome.text();
    EXPECT_FALSE(says(outcome, "secret")) << outcome.text();
  }
}

TEST_F(ByUrl, CountsWordsOfAnApplicationOnTheHostOfTheCluster) {
  scratch_.write("in/a.txt", "to be or not to be\n");
  const Outcome local = fr_run(
      {word_count_, "--target=local", "--input", scratch_ / "in", "--output", scratch_ / "local"});
  ASSERT_EQ(local.code, 0) << local.text();
  scratch_.write("of the höst/w 50%.so", text_of_file(word_count_));
  const std::string allowed = "fetch.allowed-folders=" + (scratch_ / "of the höst");
  const std::string path = scratch_ / "of%20the%20h%C3%B6st/w%2050%25.so";
  for (const std::string& url :
       {"local://" + path, "file://" + path + "#sha256=" + hash_of(word_count_)}) {
    const std::string out = scratch_ / ("out " + url.substr(0, 5));
    const Outcome cluster =
        run_url("standalone", url, {"-D", allowed, "--input", scratch_ / "in", "--output", out});
    ASSERT_EQ(cluster.code, 0) << cluster.text();
    EXPECT_FALSE(counts(out).empty());
    EXPECT_EQ(counts(out), counts(scratch_ / "local"));
  }
  const Outcome refused = run_url("standalone", "local://" + path);
  EXPECT_NE(refused.code, 0);
  EXPECT_TRUE(
      says(refused, "'local://" + path + "' can't be read: this cluster may read no folder"))
      << refused.text();
}

TEST_F(ByUrl, ShippedFilesComeByEachWayUnderTheirNames) {
  scratch_.write("apps/app.so", text_of_file(application_));
  const std::string one = scratch_.write("apps/wörter 1", "one");
  const std::string two = scratch_.write("apps/2", "two");
  const std::string three = scratch_.write("three", "three");
  server_.on("/w%20four", ok("four"));
  const std::string four = scratch_.write("four", "four");
  const Outcome outcome = run_url("standalone", "local://" + (scratch_ / "apps/app.so"),
                                  {"-D", "fetch.allowed-folders=" + (scratch_ / "apps"), "--ship",
                                   "local://" + (scratch_ / "apps/w%c3%b6rter%201"), "--ship",
                                   "file://" + two + "#sha256=" + hash_of(two), "--ship", three,
                                   "--ship", server_.url("/w%20four") + "#sha256=" + hash_of(four),
                                   "shipped", "wörter 1", "2", "three", "w four"});
  EXPECT_EQ(outcome.code, 0) << outcome.text();
  EXPECT_EQ(outcome.output, "<one>\n<two>\n<three>\n<four>\n");
  const Outcome outside = run_url("standalone", application_,
                                  {"-D", "fetch.allowed-folders=" + (scratch_ / "apps"), "--ship",
                                   "local://" + three, "shipped", "three"});
  EXPECT_NE(outside.code, 0);
  EXPECT_TRUE(says(outside, "'local://" + three + "' is outside of the folders")) << outside.text();
}

TEST_F(ByUrl, WhatMayNotBeReadOnTheHostFailsTheApplicationAndTheSessionGoesOn) {
  const std::string file = scratch_.write("apps/w.so", text_of_file(word_count_));
  const std::string secret = scratch_.write("secret.so", text_of_file(word_count_));
  scratch_.write("apps/text.so", "root:x:0:0:the secret of the host:/root:/bin/sh\n");
  scratch_.write("apps/other.so", for_another_processor(text_of_file(word_count_)));
  std::filesystem::create_symlink(secret, scratch_ / "apps/link.so");
  start_session("host", {"-D", "fetch.allowed-folders=" + (scratch_ / "apps")});
  const std::string wrong(64, 'a');
  const std::pair<std::string, std::string> cases[] = {
      {"local://" + secret, "outside of the folders that this cluster may read"},
      {"file:///etc/passwd", "add its folder to fetch.allowed-folders"},
      {"local://" + (scratch_ / "apps/link.so"), "leads out of the folders"},
      {"local://" + file + "#sha256=" + wrong, wrong + " is expected: check the URL and the hash"},
      {"local://" + (scratch_ / "apps/none.so"), "No such file or directory: check the path"},
      {"local://" + (scratch_ / "apps"), "it is a folder: name a file"},
      {"local://" + (scratch_ / "apps/text.so"), "is not an ELF file"},
      {"local://" + (scratch_ / "apps/other.so"), "is built for "},
  };
  for (const auto& [url, told] : cases) {
    const Outcome outcome = run_url("standalone-session", url);
    EXPECT_NE(outcome.code, 0) << outcome.text();
    EXPECT_TRUE(says(outcome, told)) << outcome.text();
    EXPECT_TRUE(says(outcome, "'" + url.substr(0, url.find('#')) + "'")) << outcome.text();
    const std::string all = told_of(outcome);
    EXPECT_EQ(all.find("root:"), std::string::npos) << all;
    EXPECT_EQ(all.find("'root'"), std::string::npos) << all;
  }
  scratch_.write("in/a.txt", "to be or not to be\n");
  const Outcome good = run_url("standalone-session", "local://" + file,
                               {"--input", scratch_ / "in", "--output", scratch_ / "out"});
  EXPECT_EQ(good.code, 0) << good.text();
  stop_session("host");
}

TEST_F(ByUrl, AnUploadThatIsNoApplicationIsNamedAsItWasGivenWithNothingOfItsBytes) {
  start_session("uploads");
  const std::pair<std::string, std::string> cases[] = {
      {scratch_.write("pässwd 1", "sesame:x:0:0:/open:/bin/sh\n"), "is not an ELF file"},
      {scratch_.write("text.so", "sesame opens\n"), "is not an ELF file"},
      {scratch_.write("empty.so", ""), "is empty"},
      {scratch_.write("cut.so", text_of_file(word_count_).substr(0, 5'000)), "truncated"},
      {scratch_.write("other.so", for_another_processor(text_of_file(word_count_))),
       "is built for "},
      {scratch_.write("plain.so", text_of_file("/bin/true")), "is an executable"},
  };
  for (const auto& [file, told] : cases) {
    const std::string name = std::filesystem::path(file).filename();
    const Outcome outcome = in_session({file});
    EXPECT_NE(outcome.code, 0) << outcome.text();
    EXPECT_TRUE(says(outcome, "'" + name + "' is no application")) << outcome.text();
    EXPECT_TRUE(says(outcome, told)) << outcome.text();
    const std::string all = told_of(outcome);
    EXPECT_EQ(all.find("sesa"), std::string::npos) << all;
    EXPECT_EQ(all.find("/apps/"), std::string::npos) << all;
    EXPECT_EQ(all.find("/blobs/"), std::string::npos) << all;
  }
  stop_session("uploads");
}

TEST_F(ByUrl, ASessionSaysWhatItFetchesAndCanCancelItAndGoesOn) {
  std::atomic<bool> left = false;
  server_.on("/stalls.so?token=word", [&](Connection& connection) {
    connection.wait_until_client_leaves();
    left = true;
  });
  server_.on("/word_count.so", ok(text_of_file(word_count_)));
  start_session("fetching");
  const std::string url = server_.url("/stalls.so?token=word");
  const Outcome submitted =
      run_url("standalone-session", url + "#sha256=" + std::string(64, 'a'), {"-d"});
  ASSERT_EQ(submitted.code, 0) << submitted.text();
  EXPECT_TRUE(eventually([&] { return server_.asked() == 1; }));
  const std::string id = submitted.output.substr(std::string("application ").size(), 32);
  const Outcome status = fr({"status", id});
  EXPECT_NE(status.output.find("fetching '" + server_.url("/stalls.so") + "?***'"),
            std::string::npos)
      << status.text();
  // Meanwhile it serves another one.
  scratch_.write("in/a.txt", "to be or not to be\n");
  const Outcome other = run_url("standalone-session",
                                server_.url("/word_count.so") + "#sha256=" + hash_of(word_count_),
                                {"--input", scratch_ / "in", "--output", scratch_ / "out"});
  EXPECT_EQ(other.code, 0) << other.text();
  EXPECT_FALSE(left);
  EXPECT_EQ(fr({"cancel", id}).code, 0);
  EXPECT_TRUE(eventually([&] { return left.load(); })) << "a cancel stops the fetch";
  const Outcome end = fr({"wait", id});
  EXPECT_NE(end.text().find("canceled"), std::string::npos) << end.text();
  stop_session("fetching");
}

}  // namespace
