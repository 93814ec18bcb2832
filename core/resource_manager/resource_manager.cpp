#include "resource_manager/resource_manager.h"

#include <algorithm>
#include <cassert>

namespace freshet::core {

void ResourceManager::offer(const std::string& task_manager, std::uint32_t slots) {
  assert(offered_.count(task_manager) == 0 && "a task manager offers its slots once");
  offered_[task_manager] = slots;
  for (std::uint32_t i = 0; i < slots; ++i) free_[task_manager].insert(i);
  serve();
}

void ResourceManager::withdraw(const std::string& task_manager) {
  offered_.erase(task_manager);
  free_.erase(task_manager);
  paused_.erase(task_manager);
  std::erase_if(held_, [&](const auto& held) { return held.first.task_manager == task_manager; });
  std::erase_if(freed_before_, [&](const SlotId& s) { return s.task_manager == task_manager; });
  serve();  // a request that the cluster is too small for now holds up nobody
}

void ResourceManager::pause(const std::string& task_manager, const std::string& reason) {
  if (offered_.count(task_manager)) paused_[task_manager] = reason;
}

void ResourceManager::resume(const std::string& task_manager) {
  if (paused_.erase(task_manager)) serve();
}

void ResourceManager::request(const std::string& holder, std::uint32_t count,
                              SlotPlacement placement, Granted granted) {
  ++requests_made_;
  requests_.push_back({holder, count, placement, std::move(granted)});
  serve();
}

void ResourceManager::give_up(const std::string& holder) {
  std::erase_if(requests_, [&](const Request& request) { return request.holder == holder; });
  serve();
}

void ResourceManager::release(const std::string& holder, const SlotId& slot) {
  const auto found = held_.find(slot);
  if (found == held_.end() || found->second != holder) return;
  free(slot);
  if (frees_twice_) {
    freed_before_.push_back(slot);
    if (freed_before_.size() > 2) {
      free(freed_before_.front());
      freed_before_.pop_front();
    }
  }
  serve();
}

void ResourceManager::free(const SlotId& slot) {
  held_.erase(slot);
  free_[slot.task_manager].insert(slot.index);
}

// In turn over all task managers, or one after the other; those with most free slots first.
std::vector<SlotId> ResourceManager::take(const Request& request) {
  std::vector<std::pair<std::string, std::uint32_t>> order;
  for (const auto& [name, slots] : free_) {
    if (!slots.empty() && !paused_.count(name))
      order.emplace_back(name, static_cast<std::uint32_t>(slots.size()));
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<std::uint32_t> shares(order.size());
  std::uint32_t left = request.count;
  if (request.placement == SlotPlacement::kPacked) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      shares[i] = std::min(left, order[i].second);
      left -= shares[i];
    }
  } else {
    while (left > 0) {
      for (std::size_t i = 0; i < order.size() && left > 0; ++i) {
        if (shares[i] == order[i].second) continue;
        ++shares[i];
        --left;
      }
    }
  }
  std::vector<SlotId> slots;
  for (std::size_t i = 0; i < order.size(); ++i) {
    std::set<std::uint32_t>& free = free_[order[i].first];
    for (; shares[i] > 0; --shares[i]) {
      slots.push_back({order[i].first, *free.begin()});
      free.erase(free.begin());
      held_[slots.back()] = request.holder;
    }
  }
  return slots;
}

void ResourceManager::serve() {
  if (serving_) return;  // `granted` has called us: the loop below goes on
  serving_ = true;
  for (bool again = true; again;) {
    again = false;
    for (auto request = requests_.begin(); request != requests_.end(); ++request) {
      const SlotCounts have = counts();
      if (request->count > have.total) continue;
      if (request->count > have.free) break;
      Request granted = std::move(*request);
      requests_.erase(request);
      granted.granted(take(granted));
      again = true;
      break;
    }
  }
  serving_ = false;
  if (watcher_.changed) watcher_.changed();
}

std::vector<std::uint32_t> ResourceManager::waiting_counts() const {
  std::vector<std::uint32_t> counts;
  for (const Request& request : requests_) counts.push_back(request.count);
  return counts;
}

SlotCounts ResourceManager::counts() const {
  SlotCounts counts;
  for (const auto& [name, slots] : offered_) counts.total += slots;
  for (const auto& [name, slots] : free_) {
    if (!paused_.count(name)) counts.free += static_cast<std::uint32_t>(slots.size());
  }
  counts.task_managers = static_cast<std::uint32_t>(offered_.size());
  return counts;
}

std::uint32_t ResourceManager::free_of(const std::string& task_manager) const {
  const auto found = free_.find(task_manager);
  return found == free_.end() ? 0 : static_cast<std::uint32_t>(found->second.size());
}

bool ResourceManager::is_idle(const std::string& task_manager) const {
  const auto found = offered_.find(task_manager);
  return found != offered_.end() && free_of(task_manager) == found->second;
}

std::string ResourceManager::shortage(std::uint32_t needed) const {
  const SlotCounts have = counts();
  return "needs " + std::to_string(needed) + (needed == 1 ? " slot, " : " slots, ") +
         std::to_string(have.free) + " of " + std::to_string(have.total) +
         " are free (task managers: " + std::to_string(have.task_managers) +
         (paused_.empty() ? std::string()
                          : "; '" + paused_.begin()->first + "' rests, because its last worker " +
                                paused_.begin()->second) +
         ")" + (watcher_.remark ? watcher_.remark(needed) : std::string());
}

}  // namespace freshet::core
