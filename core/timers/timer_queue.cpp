#include "timers/timer_queue.h"

#include <utility>

namespace freshet::core {

void TimerQueue::set(Name name, TimeDomain domain, std::int64_t timestamp, std::int64_t hold) {
  erase(name);
  const auto added = timers_.emplace(std::move(name), Setting{domain, timestamp, hold}).first;
  queue(domain).insert(added);
  if (hold != kNoTimestamp) holds_.insert(hold);
}

bool TimerQueue::erase(const Name& name) {
  const auto found = timers_.find(name);
  if (found == timers_.end()) return false;
  queue(found->second.domain).erase(found);
  let_go(found->second.hold);
  timers_.erase(found);
  return true;
}

std::optional<TimerQueue::Due> TimerQueue::take(TimeDomain domain, std::int64_t time) {
  Queue& waiting = queue(domain);
  if (waiting.empty() || (*waiting.begin())->second.timestamp > time) return std::nullopt;
  const Timers::const_iterator first = *waiting.begin();
  waiting.erase(waiting.begin());
  auto taken = timers_.extract(first);
  const Setting setting = taken.mapped();
  return Due{std::move(taken.key()), domain, setting.timestamp, setting.hold};
}

void TimerQueue::release(const Due& due) { let_go(due.hold); }

void TimerQueue::let_go(std::int64_t hold) {
  if (hold != kNoTimestamp) holds_.erase(holds_.find(hold));
}

std::int64_t TimerQueue::next(TimeDomain domain) const {
  const Queue& waiting = queue(domain);
  return waiting.empty() ? INT64_MAX : (*waiting.begin())->second.timestamp;
}

void TimerQueue::clear() {
  event_.clear();
  processing_.clear();
  timers_.clear();
  holds_.clear();
}

}  // namespace freshet::core
