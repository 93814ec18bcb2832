#include "job_master/message_log.h"

#include <gtest/gtest.h>

#include <string>

namespace freshet::core {
namespace {

JobMessage said(const std::string& text) {
  JobMessage message;
  message.text = text;
  return message;
}

TEST(MessageLog, AnswersFromWhatIsThereOrAsSoonAsItComes) {
  const ManualClock clock;
  MessageLog log(clock);
  log.add(said("one"));
  EXPECT_EQ(log.next(0).get()->text, "one");
  const auto second = log.next(1);
  const auto third = log.next(2);
  log.add(said("two"));
  EXPECT_FALSE(second.ready()) << "not before it is published";
  log.publish();
  EXPECT_EQ(second.get()->text, "two");
  EXPECT_EQ(second.get()->number, 2u);
  EXPECT_FALSE(third.ready());
  log.end();
  log.publish();
  EXPECT_FALSE(third.get().has_value());
}

TEST(MessageLog, KeepsTheLastAndShowsTheGap) {
  const ManualClock clock;
  MessageLog log(clock);
  for (std::size_t i = 1; i <= MessageLog::kKept + 5; ++i) log.add(said(std::to_string(i)));
  const JobMessage first = *log.next(0).get();
  EXPECT_EQ(first.number, 6u);
  EXPECT_EQ(first.text, "6");
  EXPECT_EQ(log.next(MessageLog::kKept + 4).get()->number, MessageLog::kKept + 5);
}

TEST(MessageLog, KeepsNoMoreBytesThanItsLimitAndTheLastInAnyCase) {
  const ManualClock clock;
  MessageLog log(clock);
  const std::string text(MessageLog::kKeptBytes / 4, 'x');
  for (int i = 1; i <= 10; ++i) log.add(said(text));
  EXPECT_EQ(log.next(0).get()->number, 7u) << "four of them are the limit";
  log.add(said(std::string(2 * MessageLog::kKeptBytes, 'y')));
  EXPECT_EQ(log.next(0).get()->number, 11u);
  log.add(said("short"));
  EXPECT_EQ(log.next(0).get()->text, "short");
}

TEST(MessageLog, TakesNothingAfterItsEnd) {
  const ManualClock clock;
  MessageLog log(clock);
  log.add(said("last"));
  log.end();
  log.add(said("too late"));
  EXPECT_EQ(log.next(0).get()->text, "last");
  EXPECT_FALSE(log.next(1).get().has_value());
  EXPECT_FALSE(log.next(77).get().has_value());
}

}  // namespace
}  // namespace freshet::core
