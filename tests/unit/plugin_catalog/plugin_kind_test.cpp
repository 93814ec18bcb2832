#include "shared_objects/plugin_kind.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "freshet/plugin.h"

namespace freshet::core {
namespace {

TEST(PluginKind, NumbersRiseAndEachIsFound) {
  std::uint32_t last = 0;
  std::set<std::string> names;
  for (const PluginKind& kind : plugin_kinds()) {
    EXPECT_GT(kind.number, last) << kind.name;
    last = kind.number;
    EXPECT_TRUE(names.insert(kind.name).second) << kind.name << " is there twice";
    EXPECT_EQ(find_kind(kind.number), &kind);
    EXPECT_EQ(kind_name(kind.number), kind.name);
  }
  EXPECT_GE(names.size(), 10u);
}

TEST(PluginKind, KnowsTheClassOfWhatAPluginMakes) {
  const auto interface_of = [](std::uint32_t kind) {
    return std::string(find_kind(kind)->interface);
  };
  EXPECT_EQ(interface_of(FRESHET_KIND_EXECUTOR), "freshet::ExecutorFactory");
  EXPECT_EQ(interface_of(FRESHET_KIND_FRONT_END), "freshet::FrontEnd");
  EXPECT_EQ(interface_of(FRESHET_KIND_OPERATORS), "") << "nothing is made of it";
  EXPECT_FALSE(find_kind(FRESHET_KIND_FRONT_END)->reserved);
}

TEST(PluginKind, OfReservedOnesNoClassExists) {
  int reserved = 0;
  for (const PluginKind& kind : plugin_kinds()) {
    if (!kind.reserved) continue;
    ++reserved;
    EXPECT_STREQ(kind.interface, "") << kind.name;
  }
  EXPECT_GT(reserved, 0);
}

TEST(PluginKind, ANumberOfALaterVersionIsNamedByItself) {
  EXPECT_EQ(find_kind(0), nullptr);
  EXPECT_EQ(find_kind(77), nullptr);
  EXPECT_EQ(kind_name(77), "kind 77");
  EXPECT_EQ(kind_name(UINT32_MAX), "kind 4294967295");
}

}  // namespace
}  // namespace freshet::core
