#include "resource_manager/resource_manager.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace freshet::testing {
using namespace core;
namespace {

using Slots = std::optional<std::vector<SlotId>>;

// What a request was given, once it was.
std::shared_ptr<Slots> request(ResourceManager& resources, const std::string& holder,
                               std::uint32_t count,
                               SlotPlacement placement = SlotPlacement::kSpread) {
  auto given = std::make_shared<Slots>();
  resources.request(holder, count, placement,
                    [given](std::vector<SlotId> slots) { *given = std::move(slots); });
  return given;
}

std::string text(const Slots& slots) {
  if (!slots) return "nothing";
  std::string text;
  for (const SlotId& slot : *slots) {
    text += (text.empty() ? "" : " ") + slot.task_manager + ":" + std::to_string(slot.index);
  }
  return text;
}

TEST(ResourceManager, GivesNoSlotOfAPausedTaskManagerUntilItIsResumed) {
  ResourceManager resources;
  resources.offer("a", 2);
  resources.offer("b", 1);
  resources.pause("a", "could not be started: no room");
  EXPECT_EQ(text(*request(resources, "one", 1)), "b:0");
  const auto job = request(resources, "two", 2);
  EXPECT_FALSE(*job);
  EXPECT_EQ(resources.shortage(2),
            "needs 2 slots, 0 of 3 are free (task managers: 2; 'a' rests, because its last worker "
            "could not be started: no room)");
  resources.resume("a");
  EXPECT_EQ(text(*job), "a:0 a:1");
  resources.pause("a", "could not be started: no room");
  resources.withdraw("a");
  resources.offer("a", 1);
  EXPECT_EQ(resources.counts().free, 1u) << "a new one of that name does not rest";
}

TEST(ResourceManager, GivesAllSlotsOfAJobOrNone) {
  ResourceManager resources;
  resources.offer("a", 2);
  const auto job = request(resources, "job", 3);
  EXPECT_FALSE(*job);
  EXPECT_EQ(resources.counts().free, 2u) << "none is taken meanwhile";
  resources.offer("b", 1);
  EXPECT_EQ(text(*job), "a:0 a:1 b:0");
  EXPECT_EQ(resources.counts().free, 0u);
}

TEST(ResourceManager, SpreadsOverTaskManagersOrPacksThem) {
  const auto with = [](SlotPlacement placement) {
    ResourceManager resources;
    resources.offer("a", 2);
    resources.offer("b", 4);
    resources.offer("c", 3);
    return text(*request(resources, "job", 4, placement));
  };
  EXPECT_EQ(with(SlotPlacement::kSpread), "b:0 b:1 c:0 a:0");
  EXPECT_EQ(with(SlotPlacement::kPacked), "b:0 b:1 b:2 b:3");
}

TEST(ResourceManager, ServesWhoCameFirst) {
  ResourceManager resources;
  resources.offer("a", 2);
  const auto first = request(resources, "first", 2);
  const auto second = request(resources, "second", 2);
  const auto third = request(resources, "third", 1);
  resources.release("first", {"a", 0});
  EXPECT_FALSE(*third) << "it would be served before the second, which then waits longer";
  resources.release("first", {"a", 1});
  EXPECT_EQ(text(*second), "a:0 a:1");
  EXPECT_FALSE(*third);
}

TEST(ResourceManager, IsNotHeldUpByWhatTheClusterIsTooSmallFor) {
  ResourceManager resources;
  resources.offer("a", 2);
  const auto huge = request(resources, "huge", 3);
  EXPECT_EQ(text(*request(resources, "small", 1)), "a:0");
  resources.offer("b", 2);
  EXPECT_EQ(text(*huge), "b:0 b:1 a:1");
}

TEST(ResourceManager, TakesBackASlotFromItsHolderAlone) {
  ResourceManager resources;
  resources.offer("a", 1);
  const auto first = request(resources, "first", 1);
  resources.release("first", {"a", 0});
  const auto second = request(resources, "second", 1);
  ASSERT_TRUE(*second);
  resources.release("first", {"a", 0});
  EXPECT_EQ(resources.held().at({"a", 0}), "second");
  EXPECT_EQ(resources.counts().free, 0u);
}

TEST(ResourceManager, ForgetsTheSlotsOfALostTaskManager) {
  ResourceManager resources;
  resources.offer("a", 2);
  const auto job = request(resources, "job", 2);
  resources.withdraw("a");
  EXPECT_EQ(resources.counts().total, 0u);
  EXPECT_TRUE(resources.held().empty());
  resources.offer("a", 2);
  resources.release("job", {"a", 0});
  EXPECT_EQ(resources.counts().free, 2u) << "a late release frees nothing that is free";
}

TEST(ResourceManager, LetsThoseBehindPassWhenOneGivesUp) {
  ResourceManager resources;
  resources.offer("a", 2);
  const auto first = request(resources, "first", 1);
  const auto second = request(resources, "second", 2);
  const auto third = request(resources, "third", 1);
  EXPECT_FALSE(*third);
  resources.give_up("second");
  EXPECT_EQ(text(*third), "a:1");
  EXPECT_FALSE(*second);
}

TEST(ResourceManager, SaysWhatIsNeededFreeAndThere) {
  ResourceManager resources;
  resources.offer("a", 2);
  const auto job = request(resources, "job", 1);
  EXPECT_EQ(resources.shortage(4), "needs 4 slots, 1 of 2 are free (task managers: 1)");
}

// Against a plain account: every slot has one holder, and free and held ones add up.
TEST(ResourceManager, KeepsItsAccountsOverAnyOrderOfEvents) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    std::mt19937 random(seed);
    ResourceManager resources;
    std::map<SlotId, std::string> account;
    std::map<std::string, std::uint32_t> offered;
    int jobs = 0;
    for (int step = 0; step < 100; ++step) {
      const std::string manager(1, static_cast<char>('a' + random() % 4));
      switch (random() % 5) {
        case 0:
          if (offered.count(manager)) break;
          offered[manager] = 1 + static_cast<std::uint32_t>(random() % 4);
          resources.offer(manager, offered[manager]);
          break;
        case 1:
          offered.erase(manager);
          std::erase_if(account,
                        [&](const auto& held) { return held.first.task_manager == manager; });
          resources.withdraw(manager);
          break;
        case 2: {
          const std::string holder = "job" + std::to_string(++jobs);
          resources.request(holder, 1 + static_cast<std::uint32_t>(random() % 5),
                            random() % 2 ? SlotPlacement::kSpread : SlotPlacement::kPacked,
                            [&account, &offered, holder](const std::vector<SlotId>& slots) {
                              for (const SlotId& slot : slots) {
                                EXPECT_TRUE(account.emplace(slot, holder).second) << "given twice";
                                EXPECT_LT(slot.index, offered[slot.task_manager]);
                              }
                            });
          break;
        }
        default:
          if (account.empty()) break;
          auto held = account.begin();
          std::advance(held, static_cast<std::ptrdiff_t>(random() % account.size()));
          const auto [slot, holder] = *held;
          account.erase(held);
          resources.release(holder, slot);
      }
      std::uint32_t total = 0;
      for (const auto& [name, slots] : offered) total += slots;
      ASSERT_EQ(resources.counts().total, total) << "seed " << seed;
      ASSERT_EQ(resources.held(), account) << "seed " << seed;
      ASSERT_EQ(resources.counts().free, total - account.size()) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace freshet::testing
