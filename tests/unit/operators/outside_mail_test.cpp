#include "operators/outside_mail.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "scale.h"
#include "task/waiter.h"

namespace freshet::core {
namespace {

using testing::scaled;

constexpr std::size_t kRoom = OperatorMailbox::kRoom;

// The owner is the test's thread: what lies in the box runs in run_one().
class TheMailOfAnOperator : public ::testing::Test {
 protected:
  bool run_one() {
    Mail mail = box_.take();
    if (!mail) return false;
    mail();
    return true;
  }

  Waiter waiter_;
  Mailbox box_{waiter_};
  int calls_ = 0;  // as the operator's own
  std::vector<std::string> failures_;
  const std::shared_ptr<OutsideMail> mail_ = std::make_shared<OutsideMail>(
      box_,
      [this](OperatorCall& call) {
        ++calls_;
        call();
      },
      [this](std::string text) { failures_.push_back(std::move(text)); });
};

TEST_F(TheMailOfAnOperator, RunsInTheOrderOfItsPoster) {
  std::vector<int> ran;
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(mail_->post([&ran, i] { ran.push_back(i); }).ready()) << "there is room";
  }
  EXPECT_TRUE(ran.empty()) << "not on the poster's thread";
  while (run_one()) {
  }
  EXPECT_EQ(ran, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  EXPECT_EQ(calls_, 10) << "each as a call of the operator's own";
}

TEST_F(TheMailOfAnOperator, WhoFillsTheBoxWaitsUntilThereIsRoomForOneMore) {
  for (std::size_t i = 1; i < kRoom; ++i) EXPECT_TRUE(mail_->post([] {}).ready());
  const Future<void> full = mail_->post([] {});
  const Future<void> over = mail_->post([] {});
  EXPECT_FALSE(full.ready());
  ASSERT_TRUE(run_one());
  EXPECT_FALSE(full.ready()) << "there are as many as there is room for";
  ASSERT_TRUE(run_one());
  EXPECT_TRUE(full.ready());
  EXPECT_FALSE(over.ready()) << "room for one is told to one";
  ASSERT_TRUE(run_one());
  EXPECT_TRUE(over.ready());
}

TEST_F(TheMailOfAnOperator, AnEmptyBoxTellsAllWhoWait) {
  std::vector<Future<void>> posted;
  for (std::size_t i = 0; i < 4 * kRoom; ++i) posted.push_back(mail_->post([] {}));
  while (run_one()) {
  }
  for (const Future<void>& each : posted) EXPECT_TRUE(each.ready());
}

TEST_F(TheMailOfAnOperator, AfterTheEndNothingRunsAndPostersAreTold) {
  const auto held = std::make_shared<int>(1);
  std::vector<Future<void>> posted;
  for (std::size_t i = 0; i <= kRoom; ++i) posted.push_back(mail_->post([held] { FAIL(); }));
  mail_->end();
  mail_->end();  // may repeat
  EXPECT_THROW(posted.back().get(), OperatorEnded) << "who waited";
  EXPECT_THROW(mail_->post([held] { FAIL(); }).get(), OperatorEnded);
  while (run_one()) {
  }
  EXPECT_EQ(calls_, 0);
  EXPECT_EQ(held.use_count(), 1) << "what did not run is destroyed";
}

TEST_F(TheMailOfAnOperator, TheEndTellsWhoWaitsForAnAnswer) {
  const OperatorMailbox mailbox(mail_);
  const Future<int> answer = mailbox.call([] { return 1; });
  EXPECT_FALSE(answer.ready());
  mail_->end();
  ASSERT_TRUE(answer.ready()) << "though the box has not been emptied";
  EXPECT_THROW(answer.get(), OperatorEnded);
  EXPECT_TRUE(run_one());
  EXPECT_EQ(calls_, 0);
}

TEST_F(TheMailOfAnOperator, AClosedMailboxIsTheEndForItsPoster) {
  box_.close();
  EXPECT_THROW(mail_->post([] { FAIL(); }).get(), OperatorEnded);
}

TEST_F(TheMailOfAnOperator, FailsTheJobUntilTheEndAndNotAfterIt) {
  mail_->fail("no coffee left");
  mail_->end();
  mail_->fail("too late");
  EXPECT_EQ(failures_, std::vector<std::string>{"no coffee left"});
}

TEST_F(TheMailOfAnOperator, OutlivesTheTaskForItsPosters) {
  std::shared_ptr<OutsideMail> kept;
  {
    Waiter waiter;
    Mailbox box(waiter);
    kept = std::make_shared<OutsideMail>(
        box, [](OperatorCall& call) { call(); }, [](const std::string&) {});
    static_cast<void>(kept->post([] {}));
    kept->end();
  }
  EXPECT_THROW(kept->post([] {}).get(), OperatorEnded);
  kept->fail("nobody is left");
}

// Posters that keep to the contract never have more in the box than there is room for, and one
// each.
TEST_F(TheMailOfAnOperator, OfManyThreadsRunsEachOnceAndInItsOrder) {
  constexpr int kPosters = 4;
  const int each = scaled(20'000, 500);
  std::vector<std::vector<int>> ran(kPosters);
  std::atomic<int> done{0};
  std::vector<std::thread> posters;
  for (int p = 0; p < kPosters; ++p) {
    posters.emplace_back([&, p] {
      for (int i = 0; i < each; ++i) {
        mail_->post([&ran, p, i] { ran[static_cast<std::size_t>(p)].push_back(i); }).get();
      }
      ++done;
    });
  }
  while (done < kPosters || !box_.empty()) {
    if (!run_one()) std::this_thread::yield();
  }
  for (std::thread& poster : posters) poster.join();
  for (const std::vector<int>& of_one : ran) {
    ASSERT_EQ(of_one.size(), static_cast<std::size_t>(each));
    EXPECT_TRUE(std::is_sorted(of_one.begin(), of_one.end()));
  }
  EXPECT_EQ(calls_, kPosters * each);
}

}  // namespace
}  // namespace freshet::core
