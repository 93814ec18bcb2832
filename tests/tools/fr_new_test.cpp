// `fr new` as people call it. That what it writes builds and tests itself is in
// tests/house/new_projects_test.sh.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "fr.h"

namespace {

using namespace freshet::testing;
namespace fs = std::filesystem;
using Names = std::vector<std::string>;

class FrNew : public ::testing::Test {
 protected:
  Outcome fr_new(const std::vector<std::string>& arguments) const {
    Surroundings around = fr_.surroundings();
    around.folder = scratch_.path();
    std::vector<std::string> all{"new"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return fr_.in(around, all);
  }

  const Fr fr_{};
  const ScratchFolder scratch_;
};

TEST_F(FrNew, WritesAProjectOfEachKindUnderItsName) {
  const std::string kinds[] = {"executor",  "deployer",  "connector",
                               "front-end", "operators", "application"};
  for (const std::string& kind : kinds) {
    const Outcome outcome = fr_new({kind, "snow-" + kind});
    EXPECT_EQ(outcome.code, 0) << outcome.text();
    const Names names = names_in(scratch_ / ("snow-" + kind));
    for (const char* const file : {"README.md", "meson.build", "CMakeLists.txt", ".gitignore"})
      EXPECT_NE(std::find(names.begin(), names.end(), file), names.end()) << kind << " " << file;
  }
  EXPECT_EQ(names_in(scratch_ / "snow-application"),
            (Names{".gitignore", "CMakeLists.txt", "README.md", "meson.build",
                   "snow_application.cpp", "test.sh"}));
  EXPECT_EQ(
      names_in(scratch_ / "snow-front-end"),
      (Names{".gitignore", "CMakeLists.txt", "README.md", "meson.build", "sample.snow-front-end",
             "snow_front_end_front_end.cpp", "snow_front_end_operators.cpp",
             "snow_front_end_pipeline.cpp", "snow_front_end_pipeline.h", "test.sh"}));
  EXPECT_EQ(names_in(scratch_.path()).size(), 6u);
}

TEST_F(FrNew, FillsTheNameInAsEachPlaceNeedsIt) {
  ASSERT_EQ(fr_new({"executor", "snow-melt2"}).code, 0);
  const std::string source = text_of_file(scratch_ / "snow-melt2/snow_melt2_executor.cpp");
  EXPECT_NE(source.find("FRESHET_EXECUTOR_PLUGIN(\"snow-melt2\", \"0.1.0\", SnowMelt2Executor"),
            std::string::npos)
      << source;
  EXPECT_EQ(source.find("emplate"), std::string::npos);
}

TEST_F(FrNew, ScriptsAreExecutableAndFilesAreNot) {
  ASSERT_EQ(fr_new({"connector", "snow"}).code, 0);
  EXPECT_EQ(::access((scratch_ / "snow/test.sh").c_str(), X_OK), 0);
  struct stat facts {};
  ASSERT_EQ(::stat((scratch_ / "snow/meson.build").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0111, 0u);
}

TEST_F(FrNew, NamesThatCanNotBeAreBadUsage) {
  for (const char* const name :
       {"", "Snow", "1snow", "-snow", "snow-", "snow--melt", "snow melt", "snow/melt", "../snow",
        "snow_melt", "sn\xc3\xb6w", "test", "install", "snow\n", "x;rm"}) {
    const Outcome outcome = fr_new({"executor", name, "--folder", "project"});
    EXPECT_EQ(outcome.code, 64) << name << outcome.text();
  }
  EXPECT_EQ(fr_new({"executor", std::string(41, 'x')}).code, 64);
  EXPECT_EQ(fr_new({"executor", std::string(40, 'x')}).code, 0);
  EXPECT_EQ(fr_new({"toaster", "snow"}).code, 64);
  EXPECT_EQ(fr_new({"executor"}).code, 64);
  EXPECT_EQ(names_in(scratch_.path()), Names{std::string(40, 'x')});
}

TEST_F(FrNew, AFolderWithSomethingInItIsRefusedAndLeftAlone) {
  scratch_.write("snow/mine", "keep me");
  const Outcome outcome = fr_new({"executor", "snow"});
  EXPECT_EQ(outcome.code, 65) << outcome.text();
  EXPECT_NE(outcome.errors.find("not empty"), std::string::npos) << outcome.text();
  EXPECT_EQ(names_in(scratch_ / "snow"), Names{"mine"});
  EXPECT_EQ(names_in(scratch_.path()), Names{"snow"});

  scratch_.write("file", "");
  EXPECT_EQ(fr_new({"executor", "file"}).code, 65);
  fs::create_symlink("nowhere", scratch_ / "link");
  EXPECT_EQ(fr_new({"executor", "link"}).code, 65);
}

TEST_F(FrNew, AnEmptyFolderAndAFolderOfOnesChoiceAreTaken) {
  fs::create_directory(scratch_ / "snow");
  EXPECT_EQ(fr_new({"executor", "snow"}).code, 0);
  EXPECT_EQ(fr_new({"executor", "snow", "--folder", "else/where"}).code, 65);  // no 'else'
  EXPECT_EQ(fr_new({"executor", "snow", "--folder", scratch_ / "elsewhere/"}).code, 0);
  EXPECT_EQ(names_in(scratch_ / "elsewhere").size(), 5u);
  EXPECT_EQ(names_in(scratch_.path()), (Names{"elsewhere", "snow"}));
}

TEST_F(FrNew, WhereNothingCanBeWrittenNothingIsLeft) {
  if (::geteuid() == 0) {
    // Root may write anywhere but here.
    const Outcome outcome = fr_new({"executor", "snow", "--folder", "/proc/snow"});
    EXPECT_EQ(outcome.code, 65) << outcome.text();
    return;
  }
  fs::create_directory(scratch_ / "closed");
  fs::permissions(scratch_ / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(fr_new({"executor", "snow", "--folder", "closed/snow"}).code, 65);
  EXPECT_TRUE(names_in(scratch_ / "closed").empty());
}

}  // namespace
