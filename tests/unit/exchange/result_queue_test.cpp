#include "exchange/result_queue.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

#include "freshet/error.h"
#include "test_fibers.h"

namespace freshet::core {
namespace {

TEST(ResultQueue, GivesRowsInOrderThenTheEnd) {
  TestFibers fibers(5);
  ResultQueue queue;
  std::vector<std::string> read;
  fibers.start("writer", [&] {
    for (int i = 0; i < 100; ++i) queue.push(std::to_string(i));
    queue.end(nullptr);
  });
  fibers.start("reader", [&] {
    while (auto rows = queue.next().get()) read.push_back(*rows);
  });
  fibers.run_until_all_have_ended();
  ASSERT_EQ(read.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(read[static_cast<std::size_t>(i)], std::to_string(i));
  EXPECT_FALSE(queue.next().get().has_value()) << "the end stays the end";
}

TEST(ResultQueue, HoldsItsWriterBackUntilSomebodyReads) {
  TestFibers fibers(6);
  ResultQueue queue;
  int pushed = 0;
  fibers.start("writer", [&] {
    for (; pushed < 1000; ++pushed) queue.push("rows");
  });
  fibers.run_until_idle();
  EXPECT_TRUE(fibers.waiting("writer"));
  const int held_at = pushed;
  EXPECT_LT(held_at, 1000);
  EXPECT_EQ(queue.next().get(), "rows");
  fibers.run_until_idle();
  EXPECT_EQ(pushed, held_at + 1);
}

TEST(ResultQueue, ACancelEndsTheWaitOfTheWriter) {
  TestFibers fibers(7);
  ResultQueue queue;
  bool canceled = false;
  fibers.start("writer", [&] {
    try {
      for (;;) queue.push("rows");
    } catch (const Canceled&) {
      canceled = true;
    }
  });
  fibers.run_until_idle();
  EXPECT_FALSE(canceled);
  fibers.cancel("writer");
  fibers.run_until_idle();
  EXPECT_TRUE(canceled);
}

TEST(ResultQueue, TellsTheReaderWhyThereIsNoMoreAfterTheRowsThatCame) {
  ResultQueue queue;
  auto waiting = queue.next();
  EXPECT_FALSE(waiting.ready());
  queue.end(std::make_exception_ptr(std::runtime_error("the job failed")));
  EXPECT_THROW(waiting.get(), std::runtime_error);
  queue.end(nullptr);
  EXPECT_THROW(queue.next().get(), std::runtime_error) << "the first end counts";
}

}  // namespace
}  // namespace freshet::core
