#include "control/control_thread.h"

#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <string>
#include <thread>
#include <vector>

#include "clock/clock.h"
#include "freshet/future.h"

namespace freshet::core {
namespace {

TEST(ControlThread, BeginsWhatIsPostedInOrderAndLetsOneWaitForAnother) {
  OwnControlThread control(SystemClock::instance());
  EXPECT_FALSE(control.is_current());
  Promise<int> news;
  auto awaited = news.future();
  std::string told;
  Promise<void> done;
  auto all = done.future();
  control.post("waits", [&told, &control, awaited, done = std::move(done)]() mutable {
    EXPECT_TRUE(control.is_current());
    told += "a";
    told += std::to_string(awaited.get());
    done.set_value();
  });
  control.post("tells", [&told, news = std::move(news)]() mutable {
    told += "b";
    news.set_value(7);
  });
  ASSERT_TRUE(all.get_for(30'000));
  EXPECT_EQ(told, "ab7");
}

TEST(ControlThread, RunsTimersInTheirOrderAndNotTheCanceledOnes) {
  OwnControlThread control(SystemClock::instance());
  std::string told;
  Promise<void> done;
  auto all = done.future();
  control.post("sets timers", [&, done = std::move(done)]() mutable {
    control.after_ms(30, "third", [&told, done = std::move(done)]() mutable {
      told += "3";
      done.set_value();
    });
    control.after_ms(10, "first", [&told] { told += "1"; });
    const TimerId dropped = control.after_ms(15, "dropped", [&told] { told += "x"; });
    control.after_ms(20, "second", [&told] { told += "2"; });
    control.cancel(dropped);
    control.cancel(dropped);
  });
  ASSERT_TRUE(all.get_for(30'000));
  EXPECT_EQ(told, "123");
}

TEST(ControlThread, CancelsWhatStillWaitsWhenItEnds) {
  Promise<void> never;
  bool unwound = false, timer_ran = false;
  {
    OwnControlThread control(SystemClock::instance());
    Promise<void> waiting;
    auto begun = waiting.future();
    control.post("waits for ever",
                 [&, waiting = std::move(waiting), future = never.future()]() mutable {
                   struct Mark {
                     bool& flag;
                     ~Mark() { flag = true; }
                   } mark{unwound};
                   control.after_ms(600'000, "far", [&] { timer_ran = true; });
                   waiting.set_value();
                   future.get();
                 });
    ASSERT_TRUE(begun.get_for(30'000));
  }
  EXPECT_TRUE(unwound);
  EXPECT_FALSE(timer_ran);
}

TEST(ControlThreadDeathTest, EndsTheProcessWhenAnExceptionLeavesAFiber) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        OwnControlThread control(SystemClock::instance());
        control.post("the culprit", [] { throw std::runtime_error("on purpose"); });
        std::this_thread::sleep_for(std::chrono::seconds(30));
      },
      ::testing::KilledBySignal(SIGABRT), "");
}

}  // namespace
}  // namespace freshet::core
