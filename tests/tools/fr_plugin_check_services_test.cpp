// `fr plugin check` of high-availability services: the sample passes, and each thing that is wrong
// with one makes its own case fail.
#include <gtest/gtest.h>

#include "checked_plugin.h"
#include "scratch_folder.h"

namespace {

using namespace freshet::testing;

const Names kOfServices{"types", "leaders", "fencing", "stores"};

TEST(FrPluginCheck, HighAvailabilityServicesPass) {
  const ScratchFolder folder;
  const Checked sample = check(path_from("FRESHET_TEST_SHARED_FOLDER"), "",
                               {"-D", "shared-folder.path=" + (folder / "ha")});
  const Checked other = check(path_from("FRESHET_TEST_BAD_SERVICE"));
  for (const Checked& checked : {sample, other}) {
    EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
    const Names passed = checked.with("passed");
    for (const std::string& name : kOfServices) EXPECT_EQ(passed.count(name), 1u) << name;
  }
}

TEST(FrPluginCheck, AServiceThatNeedsOptionsSaysWhich) {
  const Checked checked = check(path_from("FRESHET_TEST_SHARED_FOLDER"));
  EXPECT_EQ(checked.outcome.code, 0) << checked.outcome.text();
  EXPECT_EQ(checked.with("skipped"), (Names{"leaders", "fencing", "stores"}));
  EXPECT_NE(checked.detail("leaders").find("give them by -D: shared-folder.path"),
            std::string::npos)
      << checked.detail("leaders");
}

TEST(FrPluginCheck, OneThingThatIsWrongWithAServiceIsFound) {
  for (const Wrong& wrong :
       {Wrong{"takes any type", "types", "is true for high-availability.type 'none'"},
        Wrong{"lets two lead", "leaders", "two lead at once"},
        Wrong{"keeps its term", "leaders", "must be greater than all before"},
        Wrong{"does not fence", "fencing", "takes effect in a term that is over"},
        Wrong{"ends at a zero", "stores", "gives other bytes than were put"},
        Wrong{"keeps what is removed", "stores", "gives what was removed"},
        Wrong{"has one store", "stores", "graphs and results are one store"}}) {
    expect_found(path_from("FRESHET_TEST_BAD_SERVICE"), wrong);
  }
}

}  // namespace
