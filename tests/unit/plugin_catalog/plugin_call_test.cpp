#include "plugin_catalog/plugin_call.h"

#include <gtest/gtest.h>

#include <future>
#include <stdexcept>
#include <thread>

namespace freshet {
namespace {

using namespace std::chrono_literals;

constexpr auto kForEver = 60min;

TEST(PluginCall, RunsOnAThreadOfItsOwn) {
  std::thread::id where;
  EXPECT_TRUE(ends_in_time(kForEver, [&] { where = std::this_thread::get_id(); }));
  EXPECT_NE(where, std::thread::id());
  EXPECT_NE(where, std::this_thread::get_id());
}

TEST(PluginCall, WhatItThrowsIsThrownToTheCaller) {
  try {
    ends_in_time(kForEver, [] { throw std::runtime_error("melt"); });
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "melt");
  }
  EXPECT_THROW(ends_in_time(kForEver, [] { throw 7; }), int);
}

TEST(PluginCall, WhatItHoldsIsGoneWhenItHasEnded) {
  const auto held = std::make_shared<int>();
  EXPECT_TRUE(ends_in_time(kForEver, [held] {}));
  EXPECT_EQ(held.use_count(), 1);
}

TEST(PluginCall, OneThatHangsIsLeftBehindWithWhatItHolds) {
  const auto release = std::make_shared<std::promise<void>>();
  const auto ended = std::make_shared<std::promise<int>>();
  EXPECT_FALSE(ends_in_time(10ms, [release, ended, held = std::make_shared<int>(5)] {
    release->get_future().wait();
    ended->set_value(*held);
  }));
  release->set_value();
  EXPECT_EQ(ended->get_future().get(), 5);
}

TEST(PluginCall, WhatEndsInTimeIsNotNamedAndNotWaitedFor) {
  const auto begin = std::chrono::steady_clock::now();
  { const NamedWhenLate named(kForEver, "never said"); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kForEver / 2);
}

}  // namespace
}  // namespace freshet
