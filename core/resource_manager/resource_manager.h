// Who holds which slot: task managers offer them, jobs get all that they ask for or none, first
// come first served.
//
// A request that needs more than the whole cluster has does not hold up those behind it. A slot
// belongs to one holder until that holder releases it, or its task manager is gone.
//
// Begin here; task_managers.h knows the task managers and the workers on them.
//
// Threads    The control thread. `granted` is called from within request(), offer() or release().
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "freshet/api.h"
#include "freshet/detail/unique_function.h"
#include "freshet/options.h"

namespace freshet::core {

struct SlotId {
  std::string task_manager;
  std::uint32_t index = 0;
  auto operator<=>(const SlotId&) const = default;
};

struct SlotCounts {
  std::uint32_t total = 0;
  std::uint32_t free = 0;
  std::uint32_t task_managers = 0;
};

class FRESHET_API ResourceManager {
 public:
  // Slots of one task manager stand together, those of the first one first.
  using Granted = detail::UniqueFunction<void(std::vector<SlotId>)>;

  // A mistake that the simulation must find: a slot that is released is freed once more later,
  // whoever holds it then.
  void seed_bug_of_slots_freed_twice() { frees_twice_ = true; }

  // A task manager that was not there. Its slots are free.
  void offer(const std::string& task_manager, std::uint32_t slots);
  // Its slots are gone, held ones too; nothing if it is not there.
  void withdraw(const std::string& task_manager);
  // Between the two nobody gets a slot of it. Both may repeat; nothing if it is not there.
  void pause(const std::string& task_manager, const std::string& reason);
  void resume(const std::string& task_manager);

  // `holder` is new. Calls `granted` once, unless given up before.
  void request(const std::string& holder, std::uint32_t count, SlotPlacement placement,
               Granted granted);
  void give_up(const std::string& holder);  // may repeat; nothing once granted
  // Nothing unless that holder has it.
  void release(const std::string& holder, const SlotId& slot);

  SlotCounts counts() const;
  std::uint32_t free_of(const std::string& task_manager) const;
  // Whether it is there and nobody holds a slot of it.
  bool is_idle(const std::string& task_manager) const;
  const std::map<SlotId, std::string>& held() const { return held_; }
  bool waiting() const { return !requests_.empty(); }
  std::vector<std::uint32_t> waiting_counts() const;
  std::uint64_t requests_made() const { return requests_made_; }  // ever
  // `changed`: after slots or requests have. `remark`: what shortage() says more. One watcher,
  // until the next call.
  struct Watcher {
    std::function<void()> changed;
    std::function<std::string(std::uint32_t needed)> remark;
  };
  void watch(Watcher watcher) { watcher_ = std::move(watcher); }
  // "needs 4 slots, 1 of 2 are free (task managers: 1)"
  std::string shortage(std::uint32_t needed) const;

 private:
  struct Request {
    std::string holder;
    std::uint32_t count;
    SlotPlacement placement;
    Granted granted;
  };
  std::vector<SlotId> take(const Request& request);
  void free(const SlotId& slot);
  void serve();

  std::map<std::string, std::set<std::uint32_t>> free_;  // by task manager
  std::map<std::string, std::uint32_t> offered_;
  std::map<std::string, std::string> paused_;  // why
  std::map<SlotId, std::string> held_;
  std::deque<Request> requests_;
  std::uint64_t requests_made_ = 0;
  Watcher watcher_;
  bool serving_ = false;
  bool frees_twice_ = false;
  std::deque<SlotId> freed_before_;
};

}  // namespace freshet::core
