#include "posix/event_descriptors.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace freshet::core {
namespace {

TEST(EventDescriptors, AreNotOpenOnceOneIsClosed) {
  const int event = ::eventfd(0, EFD_CLOEXEC);
  ASSERT_GE(event, 0);
  const EventDescriptors descriptors;
  EXPECT_TRUE(descriptors.are_open());
  ::close(event);
  EXPECT_FALSE(descriptors.are_open());
}

TEST(EventDescriptors, AreNotOpenWhereAFileHasTakenTheNumber) {
  const int event = ::eventfd(0, EFD_CLOEXEC);
  ASSERT_GE(event, 0);
  const EventDescriptors descriptors;
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  ASSERT_EQ(::dup3(file, event, O_CLOEXEC), event);
  EXPECT_FALSE(descriptors.are_open());
  ::close(file);
  ::close(event);
}

TEST(EventDescriptors, DoNotCountWhatIsNoEvent) {
  const int file = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ASSERT_GE(file, 0);
  const EventDescriptors descriptors;
  ::close(file);
  EXPECT_TRUE(descriptors.are_open());
}

}  // namespace
}  // namespace freshet::core
