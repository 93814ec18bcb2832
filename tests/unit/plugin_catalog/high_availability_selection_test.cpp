#include "selection/high_availability_selection.h"

#include "freshet/options.h"
#include "shared_objects/refused_file.h"
#include "test_modules.h"

namespace freshet::core {
namespace {

using test_modules::contains;
using test_modules::error_of;
using test_modules::ScratchFolder;
namespace fs = std::filesystem;

class HighAvailabilitySelection : public testing::Test {
 protected:
  void install(const std::string& name) {
    fs::copy_file(test_modules::path(name), folder_ / (name + ".so"));
  }
  Configuration type(const std::string& name) const {
    Configuration configuration;
    configuration.set(options::kHighAvailabilityType, name, Origin::command_line("-D"));
    configuration.set(options::kPluginDirs, std::vector<std::string>{folder_.path().native()},
                      Origin::command_line("--plugin-dir"));
    return configuration;
  }
  std::string refusal(const std::string& name, const std::string& cluster_id = "lake") {
    return error_of<std::exception>(
        [&] { make_high_availability(type(name), cluster_id, skipped_); });
  }

  const ScratchFolder folder_;
  std::vector<std::string> skipped_;
};

TEST_F(HighAvailabilitySelection, NoneNeedsNoPluginAndIsTheDefault) {
  EXPECT_FALSE(has_high_availability(Configuration()));
  EXPECT_FALSE(has_high_availability(type("none")));
  EXPECT_TRUE(has_high_availability(type("heron")));
  EXPECT_EQ(make_high_availability(Configuration(), "lake", skipped_)->describe(),
            "none: nothing outlives the job manager");
}

TEST_F(HighAvailabilitySelection, ATypeThatNobodyServesIsNamedWithTheNearestAndWhereItLooked) {
  install("heron");
  const std::string refused = refusal("hero");
  EXPECT_TRUE(contains(refused,
                       "no high-availability service for type 'hero' "
                       "(high-availability.type from -D on the command line): did you "
                       "mean 'heron'?"))
      << refused;
  EXPECT_TRUE(contains(refused, "'heron' in " + (folder_ / "heron.so").native())) << refused;
  EXPECT_TRUE(contains(refused, "looked in: " + folder_.path().native())) << refused;
  EXPECT_TRUE(contains(refusal("nine"), "did you mean 'none'?")) << refusal("nine");
}

TEST_F(HighAvailabilitySelection, SeveralThatSayYesAreListedWithTheirFiles) {
  install("heron");
  install("heronry");
  const std::string refused = refusal("heron");
  EXPECT_TRUE(contains(refused, "2 high-availability services say that they are type 'heron'"))
      << refused;
  EXPECT_TRUE(contains(refused, "exactly one may: remove all but one")) << refused;
  for (const char* name : {"heron", "heronry"}) {
    EXPECT_TRUE(contains(refused, "'" + std::string(name) + "' in " +
                                      (folder_ / (std::string(name) + ".so")).native()))
        << refused;
  }
}

TEST_F(HighAvailabilitySelection, OneThatThrowsWhenAskedIsSkippedAndNamed) {
  install("heron");
  const std::string refused = refusal("storm");
  ASSERT_EQ(skipped_.size(), 1u);
  EXPECT_EQ(skipped_[0], "high-availability service plugin 'heron' (" +
                             (folder_ / "heron.so").native() +
                             ") is skipped: its is_compatible_with() threw: not in this weather: "
                             "remove the plugin or mend it");
  EXPECT_TRUE(contains(refused, skipped_[0])) << refused;
}

TEST_F(HighAvailabilitySelection, WhatAFactoryRefusesPassesAndWhatItBreaksNamesTheFile) {
  install("heron");
  EXPECT_EQ(refusal("heron", "pond"), "'pond' has no fish");
  const std::string file = (folder_ / "heron.so").native();
  const std::string threw = refusal("heron", "moor");
  EXPECT_TRUE(contains(threw, file)) << threw;
  EXPECT_TRUE(contains(threw, "the create() of its HighAvailabilityFactory threw: no reed"))
      << threw;
  const std::string nothing = refusal("heron");
  EXPECT_TRUE(contains(nothing, file)) << nothing;
  EXPECT_TRUE(contains(nothing, "returned null, where a high-availability service was asked for"))
      << nothing;
}

}  // namespace
}  // namespace freshet::core
