#include "freshet/detail/mapped_memory.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "sanitized.h"

namespace freshet::detail {
namespace {

std::uintptr_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

TEST(MappedMemory, TellsWhereAPointerLeads) {
  if (freshet::testing::kAddressSanitized) GTEST_SKIP() << "locals are not on the stack";
  int on_stack = 0;
  static int in_module = 0;
  const auto on_heap = std::make_unique<int>(0);
  const MappedMemory memory = MappedMemory::snapshot();
  ASSERT_NE(memory.find(address_of(&on_stack)), nullptr);
  EXPECT_EQ(memory.find(address_of(&on_stack))->description, "[stack]");
  ASSERT_NE(memory.find(address_of(on_heap.get())), nullptr);
  ASSERT_NE(memory.find(address_of(&in_module)), nullptr);
  EXPECT_NE(memory.find(address_of("text"))->description.find("mapped_memory"), std::string::npos);
}

TEST(MappedMemory, NumbersAreNotPointers) {
  const MappedMemory memory = MappedMemory::snapshot();
  for (const std::int64_t number : std::vector<std::int64_t>{
           0, 1, 42, -1, -10 * 1024 * 1024, 1700000000, 1767225600000, 1767225600000000000})
    EXPECT_EQ(memory.find(static_cast<std::uintptr_t>(number)), nullptr) << number;
}

TEST(MappedMemory, RangesEndWhereTheyEnd) {
  const MappedMemory memory = MappedMemory::from_text(
      "1000-2000 r-xp 00000000 fe:01 12     /lib/a b.so\n"
      "2000-3000 ---p 00001000 fe:01 12     /lib/guard\n"
      "5000-6000 rw-p 00000000 00:00 0 \n"
      "not a line\n"
      "ffffffffff600000-ffffffffff601000 r-xp 00000000 00:00 0  [vsyscall]");
  ASSERT_EQ(memory.ranges().size(), 2u);
  EXPECT_EQ(memory.find(0xfff), nullptr);
  EXPECT_EQ(memory.find(0x1000)->description, "/lib/a b.so");
  EXPECT_EQ(memory.find(0x1fff)->description, "/lib/a b.so");
  EXPECT_EQ(memory.find(0x2000), nullptr);
  EXPECT_EQ(memory.find(0x5fff)->description, "anonymous memory");
  EXPECT_EQ(memory.find(0x6000), nullptr);
  EXPECT_EQ(memory.find(0xffffffffff600008), nullptr);
  EXPECT_TRUE(MappedMemory::from_text("").ranges().empty());
}

}  // namespace
}  // namespace freshet::detail
