// Which files of its own host a cluster reads, and under which names.
#include "fetching/allowed_folders.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "clock/clock.h"
#include "fetching/url_path.h"
#include "freshet/error.h"
#include "scratch_folder.h"

namespace freshet::testing {
using namespace core;
namespace {

class Kept final : public FetchSink {
 public:
  void append(std::string_view bytes) override { text += bytes; }
  bool is_wanted() const override { return wanted; }
  std::string text;
  bool wanted = true;
};

class AllowedFoldersTest : public ::testing::Test {
 protected:
  AllowedFoldersTest() {
    scratch_.write("apps/a.so", "an application");
    scratch_.write("apps/of two ü/50%.so", "with a name");
    scratch_.write("apps-2/a.so", "the secret");
    scratch_.write("secret", "the secret");
  }
  std::string read(const std::string& url) const {
    Kept kept;
    AllowedFolders(SystemClock::instance(), {scratch_ / "apps/", scratch_ / "absent"})
        .fetch(url, rules_, kept);
    return kept.text;
  }
  std::string refusal(const std::string& url) const {
    try {
      return "it was read: " + read(url);
    } catch (const InvalidInput& error) {
      EXPECT_NE(std::string(error.what()).find("'" + shown_url(url) + "'"), std::string::npos)
          << error.what();
      return error.what();
    }
  }
  void expect_outside(const std::string& path) const {
    const std::string text = refusal("local://" + path);
    EXPECT_NE(text.find("outside of the folders that this cluster may read, '" +
                        (scratch_ / "apps") + "', '" + (scratch_ / "absent") + "'"),
              std::string::npos)
        << text;
    EXPECT_NE(text.find("add its folder to fetch.allowed-folders"), std::string::npos) << text;
  }
  void link(const std::string& name, const std::string& to) const {
    std::filesystem::create_symlink(to, scratch_ / name);
  }

  ScratchFolder scratch_;
  FetchRules rules_;
};

TEST_F(AllowedFoldersTest, AFileInsideIsReadByEitherScheme) {
  EXPECT_EQ(read("local://" + (scratch_ / "apps/a.so")), "an application");
  EXPECT_EQ(read("file://localhost" + (scratch_ / "apps/../apps/a.so")), "an application");
}

TEST_F(AllowedFoldersTest, NamesMayBeWrittenInPercentOrAsTheyAre) {
  EXPECT_EQ(read("local://" + (scratch_ / "apps/of%20two%20%C3%BC/50%25.so")), "with a name");
  EXPECT_EQ(read("local://" + (scratch_ / "apps/of two ü/50%25.so")), "with a name");
}

TEST_F(AllowedFoldersTest, WhatIsOutsideIsNamedWithTheMendWhetherItIsThereOrNot) {
  expect_outside(scratch_ / "secret");
  expect_outside(scratch_ / "nothing");
  expect_outside(scratch_ / "apps-2/a.so");
  expect_outside(scratch_ / "apps/../secret");
  expect_outside(scratch_ / "apps/%2e%2e/secret");
  expect_outside("/etc/passwd");
  expect_outside("/proc/self/environ");
}

TEST_F(AllowedFoldersTest, ALinkMayLeadInAndNotOut) {
  link("apps/out.so", scratch_ / "secret");
  link("apps/folder", scratch_.path());
  link("apps/in.so", "a.so");
  link("elsewhere", scratch_ / "apps");
  EXPECT_EQ(read("local://" + (scratch_ / "apps/in.so")), "an application");
  EXPECT_EQ(read("local://" + (scratch_ / "elsewhere/a.so")), "an application");
  for (const char* name : {"apps/out.so", "apps/folder/secret"}) {
    const std::string text = refusal("local://" + (scratch_ / name));
    EXPECT_NE(text.find("leads out of the folders that this cluster may read"), std::string::npos)
        << text;
  }
}

TEST_F(AllowedFoldersTest, AnAllowedFolderMayItselfBeALink) {
  link("current", scratch_ / "apps");
  Kept kept;
  AllowedFolders(SystemClock::instance(), {scratch_ / "current"})
      .fetch("local://" + (scratch_ / "current/a.so"), rules_, kept);
  EXPECT_EQ(kept.text, "an application");
}

TEST_F(AllowedFoldersTest, WithoutFoldersNothingIsRead) {
  Kept kept;
  try {
    AllowedFolders(SystemClock::instance(), {})
        .fetch("local://" + (scratch_ / "apps/a.so"), rules_, kept);
    ADD_FAILURE();
  } catch (const InvalidInput& error) {
    EXPECT_NE(std::string(error.what()).find("list folders in fetch.allowed-folders"),
              std::string::npos)
        << error.what();
  }
}

TEST_F(AllowedFoldersTest, WhatIsNoRegularFileOrNotThereIsNamed) {
  ASSERT_EQ(::mkfifo((scratch_ / "apps/pipe").c_str(), 0600), 0);
  const std::pair<const char*, const char*> cases[] = {
      {"apps/none.so", "No such file or directory"},
      {"apps/a.so/x", "Not a directory"},
      {"apps", "it is a folder: name a file"},
      {"apps/pipe", "it is no regular file"},
  };
  for (const auto& [name, told] : cases) {
    const std::string text = refusal("local://" + (scratch_ / name));
    EXPECT_NE(text.find(told), std::string::npos) << text;
  }
}

TEST_F(AllowedFoldersTest, AUrlThatIsNoneIsToldHowToWriteIt) {
  const std::pair<std::string, const char*> cases[] = {
      {"local:/a.so", "local:///folder/file"},
      {"file://apps/a.so", "names the host 'apps'"},
      {"local://", "has no path"},
      {"local:///a.so?b", "%3F and %23"},
      {"local:///a%2", "write %25"},
      {"local:///a%zz", "write %25"},
      {"local:///a%00b", "stands for no character"},
      {"local:///a%2fb", "no name holds a '/'"},
  };
  for (const auto& [url, told] : cases) {
    const std::string text = refusal(url);
    EXPECT_NE(text.find(told), std::string::npos) << text;
  }
}

TEST_F(AllowedFoldersTest, SizeAndWishAreKept) {
  rules_.max_size = MemorySize(4);
  const std::string text = refusal("local://" + (scratch_ / "apps/a.so"));
  EXPECT_NE(text.find("14 bytes, more than the 4 of fetch.max-size"), std::string::npos) << text;
  Kept unwanted;
  unwanted.wanted = false;
  EXPECT_THROW(AllowedFolders(SystemClock::instance(), {"/"})
                   .fetch("local://" + (scratch_ / "apps/a.so"), {}, unwanted),
               Canceled);
}

TEST(UrlPath, TheNameOfAFileIsDecodedIfItIsPlain) {
  EXPECT_EQ(file_name_of("https://host/a%20b.so?x=/y#z"), "a b.so");
  EXPECT_EQ(file_name_of("local:///w%C3%B6rter.so"), "w\xc3\xb6rter.so");
  EXPECT_EQ(file_name_of("local:///a/"), "");
  EXPECT_EQ(file_name_of("https://host/..%2Fb"), "..%2Fb");
  EXPECT_EQ(file_name_of("https://host/100%"), "100%");
}

}  // namespace
}  // namespace freshet::testing
