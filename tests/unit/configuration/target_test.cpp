#include "freshet/target.h"

#include <gtest/gtest.h>

#include "freshet/configuration.h"
#include "freshet/options.h"

namespace freshet {
namespace {

TEST(Target, ASessionIsNamedForItsDeployer) {
  EXPECT_EQ(Target::parse("standalone-session"), (Target{"standalone", true}));
  EXPECT_EQ(Target::parse("standalone"), (Target{"standalone", false}));
  EXPECT_EQ(Target::parse("on-demand-session"), (Target{"on-demand", true}));
  EXPECT_EQ(Target::parse("standalone").session(), Target::parse("standalone-session"));
  EXPECT_EQ(Target::parse("standalone-session").session(), Target::parse("standalone-session"));
}

TEST(Target, EveryTextIsATargetAndComesBack) {
  const std::string megabyte(1 << 20, 'x');
  for (const std::string& text :
       {std::string(), std::string("local"), std::string("standalone-session"),
        std::string("-session"), std::string("session"), std::string("a-session-session"),
        std::string("-session-session"), std::string("\xff\0\n-session", 11), megabyte,
        megabyte + "-session"}) {
    EXPECT_EQ(Target::parse(text).text(), text);
  }
}

TEST(Target, WithoutANameThereIsNoSession) {
  EXPECT_FALSE(Target::parse("-session").is_session);
  EXPECT_FALSE(Target::parse("session").is_session);
  EXPECT_FALSE(Target::parse("").is_session);
  EXPECT_EQ(Target::parse("-session").session().text(), "-session-session");
}

TEST(Target, IsThatOfTheConfiguration) {
  Configuration configuration;
  EXPECT_EQ(Target::of(configuration), Target{});
  configuration.set(options::kExecutionTarget, "standalone-session");
  EXPECT_EQ(Target::of(configuration), (Target{"standalone", true}));
  configuration.set_raw(options::kExecutionTarget.key(), "", Origin::main());
  EXPECT_THROW(Target::of(configuration), BadValue);
}

}  // namespace
}  // namespace freshet
