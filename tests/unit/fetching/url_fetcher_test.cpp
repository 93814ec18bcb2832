// Files by URL on their way into the blobs of a job manager, by the plugin 'http'.
#include "fetching/url_fetcher.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "clock/clock.h"
#include "freshet/error.h"
#include "freshet/options.h"
#include "http_server.h"
#include "scratch_folder.h"
#include "security/sha256.h"

namespace freshet::testing {
using namespace core;
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

class UrlFetching : public ::testing::Test {
 protected:
  UrlFetching() {
    configuration_.set(options::kPluginDirs,
                       std::vector<std::string>{environment("FRESHET_TEST_HTTP_FOLDER")});
  }
  UrlFetcher& fetcher() {
    if (!fetcher_)
      fetcher_ = std::make_unique<UrlFetcher>(SystemClock::instance(), blobs_, scratch_ / "parts",
                                              configuration_);
    return *fetcher_;
  }
  std::string fetched(const std::string& url, const std::string& sha256, ArtifactUse use) {
    return fetcher().fetch({"file.so", url, sha256}, use, wanted_).get();
  }
  void expect_refused(const std::string& url, const std::string& sha256, ArtifactUse use,
                      const std::vector<std::string>& parts) {
    try {
      fetched(url, sha256, use);
      ADD_FAILURE() << url << " was fetched";
    } catch (const InvalidInput& error) {
      const std::string text = error.what();
      for (const std::string& part : parts)
        EXPECT_NE(text.find(part), std::string::npos) << "no '" << part << "' in: " << text;
      EXPECT_EQ(text.find("secret"), std::string::npos) << text;
    }
    EXPECT_TRUE(names_in(scratch_ / "parts").empty()) << "what is refused is dropped";
    EXPECT_TRUE(names_in(scratch_ / "blobs").empty());
  }

  ScratchFolder scratch_;
  HttpServer server_;
  BlobStore blobs_{scratch_ / "blobs"};
  Configuration configuration_;
  std::unique_ptr<UrlFetcher> fetcher_;
  const std::shared_ptr<std::atomic<bool>> wanted_ = std::make_shared<std::atomic<bool>>(true);
  const std::string application_ = text_of_file(environment("FRESHET_TEST_APPLICATION"));
};

TEST_F(UrlFetching, AnApplicationBecomesABlobAndIsAskedForOnce) {
  const std::string hash = Sha256::of(application_).hex();
  server_.on("/a.so", ok(application_));
  EXPECT_EQ(fetched(server_.url("/a.so"), hash, ArtifactUse::kMain), hash);
  EXPECT_EQ(text_of_file(blobs_.path_of(parse_sha256(hash))), application_);
  EXPECT_TRUE(names_in(scratch_ / "parts").empty());
  EXPECT_EQ(fetched(server_.url("/a.so"), hash, ArtifactUse::kMain), hash);
  EXPECT_EQ(server_.asked(), 1) << "it is there already";
}

TEST_F(UrlFetching, AnotherHashIsRefusedWithBoth) {
  const std::string expected(64, 'a');
  server_.on("/a.so", ok(application_));
  expect_refused(server_.url("/a.so"), expected, ArtifactUse::kMain,
                 {"'" + server_.url("/a.so") + "'", Sha256::of(application_).hex(),
                  expected + " is expected"});
  expect_refused(server_.url("/a.so"), "12ab", ArtifactUse::kMain,
                 {"/a.so#sha256=***' has 4 characters after", "64 digits of 0-9 a-f"});
}

TEST_F(UrlFetching, WhatIsNoApplicationIsDroppedUnlessItIsShippedBesideOne) {
  const std::string text = "the secret of the server";
  const std::string hash = Sha256::of(text).hex();
  server_.on("/a.so", ok(text));
  server_.on("/cut.so", ok(application_.substr(0, application_.size() / 2)));
  expect_refused(server_.url("/a.so"), hash, ArtifactUse::kMain,
                 {"no application that runs here", "dropped", "is not an ELF file"});
  expect_refused(server_.url("/cut.so"),
                 Sha256::of(application_.substr(0, application_.size() / 2)).hex(),
                 ArtifactUse::kMain, {"application"});
  EXPECT_EQ(fetched(server_.url("/a.so"), hash, ArtifactUse::kShipped), hash);
  EXPECT_THROW(fetched(server_.url("/a.so"), hash, ArtifactUse::kMain), InvalidInput)
      << "also when it is there already";
}

TEST_F(UrlFetching, FollowsTheRulesThatAreConfigured) {
  configuration_.set(options::kFetchMaxSize, MemorySize(100));
  configuration_.set(options::kFetchMaxRedirects, 0);
  server_.on("/a.so", ok(application_));
  server_.on("/moved", redirect_to("/a.so"));
  const std::string hash = Sha256::of(application_).hex();
  expect_refused(server_.url("/a.so"), hash, ArtifactUse::kMain, {"fetch.max-size is 100"});
  expect_refused(server_.url("/moved"), hash, ArtifactUse::kMain, {"fetch.max-redirects"});
  expect_refused(server_.url("/a.so"), "", ArtifactUse::kMain, {"#sha256="});
}

TEST_F(UrlFetching, ASchemeThatNobodyServesIsNamedWithWhatThereIs) {
  expect_refused("ftp://host/a.so", "", ArtifactUse::kMain, {"serves 'ftp'", "'http'"});
}

TEST_F(UrlFetching, AFileOfAnAllowedFolderIsCopiedAndJudgedAsOthersAre) {
  const std::string file = scratch_.write("apps/a.so", application_);
  scratch_.write("apps/text.so", "the secret of the host");
  const std::string hash = Sha256::of(application_).hex();
  configuration_.set(options::kFetchAllowedFolders, std::vector<std::string>{scratch_ / "apps"});
  expect_refused("local://" + (scratch_ / "apps/text.so"), "", ArtifactUse::kMain,
                 {"no application that runs here", "is not an ELF file"});
  expect_refused("local://" + file, std::string(64, 'a'), ArtifactUse::kMain,
                 {hash, std::string(64, 'a') + " is expected"});
  EXPECT_EQ(fetched("FILE://" + file, hash, ArtifactUse::kMain), hash);
  EXPECT_EQ(fetched("local://" + file, "", ArtifactUse::kMain), hash);
  EXPECT_EQ(text_of_file(blobs_.path_of(parse_sha256(hash))), application_);
}

TEST_F(UrlFetching, AFolderThatIsNoAbsolutePathIsRefusedAtTheStart) {
  configuration_.set(options::kFetchAllowedFolders, std::vector<std::string>{"apps"});
  EXPECT_THROW(fetcher(), InvalidInput);
}

TEST_F(UrlFetching, AUrlWithoutAFileNameIsRefused) {
  const auto future = fetcher().fetch({"", server_.url("/"), ""}, ArtifactUse::kMain, wanted_);
  EXPECT_THROW(future.get(), InvalidInput);
}

TEST_F(UrlFetching, AFolderThatCantBeWrittenIsNamed) {
  scratch_.write("parts", "a file");
  server_.on("/a.so", ok(application_));
  try {
    fetched(server_.url("/a.so"), Sha256::of(application_).hex(), ArtifactUse::kMain);
    ADD_FAILURE();
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("can't be kept"), std::string::npos) << error.what();
  }
}

TEST_F(UrlFetching, ManyAtOnceAllArrive) {
  std::vector<Future<std::string>> futures;
  std::vector<std::string> hashes;
  for (int i = 0; i < 40; ++i) {
    const std::string text(1000, static_cast<char>('a' + i % 26));
    const std::string path = "/" + std::to_string(i);
    server_.on(path, ok(text + path));
    hashes.push_back(Sha256::of(text + path).hex());
    futures.push_back(
        fetcher().fetch({"f", server_.url(path), hashes.back()}, ArtifactUse::kShipped, wanted_));
  }
  for (std::size_t i = 0; i < futures.size(); ++i) EXPECT_EQ(futures[i].get(), hashes[i]);
}

TEST_F(UrlFetching, WhatIsWantedNoMoreEndsSoonAndOthersGoOn) {
  std::atomic<int> begun = 0, left = 0;
  server_.on("/stalls", [&](Connection& connection) {
    ++begun;
    connection.wait_until_client_leaves();
    ++left;
  });
  server_.on("/a", ok("a"));
  const auto wish = std::make_shared<std::atomic<bool>>(true);
  const auto stalled = fetcher().fetch({"f", server_.url("/stalls"), std::string(64, 'a')},
                                       ArtifactUse::kShipped, wish);
  while (begun == 0) std::this_thread::yield();
  *wish = false;
  EXPECT_THROW(stalled.get(), Canceled);
  while (left == 0) std::this_thread::yield();  // the connection is closed
  const int asked = server_.asked();
  EXPECT_THROW(fetcher().fetch({"f", server_.url("/a"), ""}, ArtifactUse::kShipped, wish).get(),
               Canceled);
  EXPECT_EQ(server_.asked(), asked) << "what is not wanted is not begun";
  EXPECT_NO_THROW(fetched(server_.url("/a"), Sha256::of("a").hex(), ArtifactUse::kShipped));
  EXPECT_TRUE(names_in(scratch_ / "parts").empty());
}

TEST_F(UrlFetching, WhatADeadProcessHasLeftIsRemovedAndWhatALivingOneWritesIsKept) {
  scratch_.write("parts/part-1", "half");
  scratch_.write("parts/part-2", "half");
  scratch_.write("parts/other", "not ours");
  const int living = ::open((scratch_ / "parts/part-2").c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_EQ(::flock(living, LOCK_EX), 0);
  server_.on("/a", ok("a"));
  EXPECT_NO_THROW(fetched(server_.url("/a"), Sha256::of("a").hex(), ArtifactUse::kShipped));
  EXPECT_EQ(names_in(scratch_ / "parts"), (std::vector<std::string>{"other", "part-2"}));
  ::close(living);
}

TEST_F(UrlFetching, SecretsOfAUrlAreNotTold) {
  configuration_.set(options::kFetchAllowedFolders, std::vector<std::string>{scratch_ / "apps"});
  for (const std::string& url :
       {server_.url("/missing?key=secret"), std::string("http://me:secret@127.0.0.1/a"),
        std::string("ftp://me:secret@host/a?secret#secret"),
        "local://me:secret@host" + (scratch_ / "apps/a"),
        "local://" + (scratch_ / "apps/a?secret")})
    expect_refused(url, std::string(64, 'a'), ArtifactUse::kShipped, {"'" + shown_url(url) + "'"});
}

TEST(ShownUrl, HidesWhoAsksQueryAndFragment) {
  for (const auto& [url, shown] : std::vector<std::pair<std::string, std::string>>{
           {"https://host/a.so", "https://host/a.so"},
           {"https://me:word@host:80/a.so?token=1#x", "https://***@host:80/a.so?***"},
           {"https://me@host", "https://***@host"},
           {"https://a@b@host/x", "https://***@host/x"},
           {"https://host/me@home", "https://host/me@home"},
           {"https://host?a@b/c", "https://host?***"},
           {"https://host/#sha256=12", "https://host/#***"},
           {"local:///opt/a.so", "local:///opt/a.so"},
           {"mailto:me?word", "mailto:me?***"},
           {"http://h/\033[2J\n", "http://h/?[2J?"},
           {"", ""}})
    EXPECT_EQ(shown_url(url), shown);
}

TEST_F(UrlFetching, ItsEndEndsWhatIsUnderWayAndWhatWaits) {
  std::atomic<int> begun = 0;
  server_.on("/stalls", [&](Connection& connection) {
    ++begun;
    connection.wait_until_client_leaves();
  });
  std::vector<Future<std::string>> futures;
  for (int i = 0; i < 20; ++i)
    futures.push_back(fetcher().fetch({"f", server_.url("/stalls"), std::string(64, 'a')},
                                      ArtifactUse::kShipped, wanted_));
  while (begun == 0) std::this_thread::yield();
  fetcher_.reset();
  for (const auto& future : futures) EXPECT_THROW(future.get(), Canceled);
  EXPECT_TRUE(names_in(scratch_ / "parts").empty());
}

}  // namespace
}  // namespace freshet::testing
