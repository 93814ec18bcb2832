#include "worker/split_source.h"

#include <algorithm>
#include <atomic>

#include "task/waiter.h"

namespace freshet::core {

// On the stack of the fiber that waits; whoever gives it the turn holds the mutex meanwhile.
struct SplitSource::Turn {
  Waiter waiter;
  std::atomic<bool> given{false};
};

SplitSource::SplitSource(std::unique_ptr<Coordinator> coordinator, std::uint32_t parallelism)
    : coordinator_(std::move(coordinator)), parallelism_(parallelism) {}

SplitSource::~SplitSource() = default;

std::optional<std::string> SplitSource::next(std::uint32_t subtask) {
  if (!coordinator_) return std::nullopt;
  struct Held {
    explicit Held(SplitSource& splits) : splits(splits) { splits.take_turn(); }
    ~Held() { splits.end_turn(); }
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;
    SplitSource& splits;
  } held(*this);
  if (!opened_) {
    coordinator_->open(parallelism_);
    opened_ = true;
  }
  return coordinator_->next_split(subtask);
}

void SplitSource::take_turn() {
  Turn turn;
  {
    const std::lock_guard lock(mutex_);
    if (!taken_) {
      taken_ = true;
      return;
    }
    waiting_.push_back(&turn);
  }
  struct Leave {
    ~Leave() {
      std::unique_lock lock(splits.mutex_);
      if (turn.given) {
        if (!kept) {  // canceled, with the turn already ours
          lock.unlock();
          splits.end_turn();
        }
        return;
      }
      std::erase(splits.waiting_, &turn);
    }
    SplitSource& splits;
    Turn& turn;
    bool kept = false;
  } leave{*this, turn};
  turn.waiter.wait([&] { return turn.given.load(std::memory_order_acquire); });
  leave.kept = true;
}

void SplitSource::end_turn() noexcept {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    taken_ = false;
    return;
  }
  Turn& next = *waiting_.front();
  waiting_.pop_front();
  next.given.store(true, std::memory_order_release);
  next.waiter.wake();
}

}  // namespace freshet::core
