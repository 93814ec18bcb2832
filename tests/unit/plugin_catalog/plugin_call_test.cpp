#include "shared_objects/plugin_call.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <future>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace freshet::core {
namespace {

using namespace std::chrono_literals;

constexpr auto kForEver = 60min;

static_assert(kPluginPatience == 5s);  // as the docs say

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
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "heard", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  const auto begin = std::chrono::steady_clock::now();
  { const NamedWhenLate named(kForEver, "never said"); }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kForEver / 2);
  spdlog::set_default_logger(before);
  EXPECT_EQ(log.str(), "");
}

}  // namespace
}  // namespace freshet::core
