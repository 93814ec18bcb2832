#include "process/control_group.h"

#include <gtest/gtest.h>

#include "scratch_folder.h"

namespace freshet::core {
namespace {

using testing::ScratchFolder;
using testing::text_of_file;

// The kernel's files, as far as they are written and read: memory is handed on to few processes.
TEST(ControlGroup, LimitsTheMemoryOfAllThatIsInItAndItsSwap) {
  ScratchFolder group;
  EXPECT_FALSE(ControlGroups::limit_memory(group.path(), 1'000)) << "there is no memory.max";
  for (const char* const file : {"memory.max", "memory.swap.max", "memory.oom.group"})
    group.write(file, "");
  EXPECT_TRUE(ControlGroups::limit_memory(group.path(), 268'435'456));
  EXPECT_EQ(text_of_file(group / "memory.max"), "268435456");
  EXPECT_EQ(text_of_file(group / "memory.swap.max"), "0");
  EXPECT_EQ(text_of_file(group / "memory.oom.group"), "1");
}

TEST(ControlGroup, TellsWhetherTheKernelHasKilledForMemory) {
  ScratchFolder group;
  EXPECT_FALSE(ControlGroups::ran_out_of_memory(group.path()));
  group.write("memory.events", "low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\noom_group_kill 0\n");
  EXPECT_FALSE(ControlGroups::ran_out_of_memory(group.path()));
  group.write("memory.events", "low 0\nhigh 0\nmax 12\noom 1\noom_kill 2\noom_group_kill 1\n");
  EXPECT_TRUE(ControlGroups::ran_out_of_memory(group.path()));
}

}  // namespace
}  // namespace freshet::core
