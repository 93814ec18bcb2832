#include "operators/services.h"

#include <algorithm>

#include "freshet/error.h"
#include "task/fiber.h"

namespace freshet::core {

namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;

}  // namespace

Services::Services(Place place, JobServices& job, TaskHost& host)
    : place_(std::move(place)),
      job_(job),
      clock_(job.clock()),
      host_(host),
      mail_(std::make_shared<OutsideMail>(
          host.mailbox(), [this](OperatorCall& call) { guarded(call); },
          [this](std::string text) {
            FailureInfo failure;
            failure.operator_name = place_.vertex.operator_name();
            failure.subtask = place_.vertex.subtask_index();
            failure.message = std::move(text);
            host_.fail(std::move(failure));
          })) {}

Services::~Services() { end(); }

template <class Call>
void Services::guarded(Call&& call) {
  const RunningLink runs(place_.position, place_.link);
  try {
    call();
  } catch (...) {
    place_.position.note_failure_of(place_.link);
    throw;
  }
}

// ---- time ------------------------------------------------------------------------------------

void Services::watermark(std::int64_t timestamp) {
  arrived_ = std::max(arrived_, timestamp);
  pass_time();
}

void Services::end_of_input(std::uint32_t input) {
  ended_inputs_.push_back(input);
  pass_time();
}

bool Services::time_is_due() const {
  return bundles_ == 0 && (arrived_ > told_ || !ended_inputs_.empty() ||
                           timers_.is_due(TimeDomain::kEvent, arrived_));
}

void Services::pass_time() {
  while (time_is_due()) {
    time_ = std::max(time_, arrived_);
    if (const auto due = timers_.take(TimeDomain::kEvent, arrived_)) {
      fire(*due);
    } else if (arrived_ > told_) {
      told_ = arrived_;
      apply_limit();
      guarded([&] { place_.op.watermark(told_); });
    } else {
      const std::uint32_t input = ended_inputs_.front();
      ended_inputs_.erase(ended_inputs_.begin());
      guarded([&] { place_.op.end_of_input(input); });
    }
  }
  apply_limit();
}

// Timers may set timers for ever: a cancel is heard in between.
void Services::fire(const TimerQueue::Due& due) {
  if (canceled()) throw Canceled("the task has been canceled");
  guarded([&] { place_.op.timer(due.timer()); });
  timers_.release(due);
}

void Services::finish(std::uint32_t input) {
  settle();
  // The operator is told of the end, not of the watermark that the end implies.
  arrived_ = told_ = kMaxWatermark;
  settle();
  guarded([&] { place_.op.end_of_input(input); });
  settle();
  end();
}

void Services::settle() {
  while (bundles_ != 0 || time_is_due()) {
    if (bundles_ != 0) host_.serve_until([this] { return bundles_ == 0; });
    pass_time();
  }
}

void Services::attend() {
  if (ended_) return;
  // Of those that are due now: what they bring about has its turn after the inputs.
  if (!delayed_.empty()) {
    std::vector<OperatorCall> due;
    const auto end = delayed_.upper_bound(clock_.now_ns());
    for (auto at = delayed_.begin(); at != end; ++at) due.push_back(std::move(at->second));
    delayed_.erase(delayed_.begin(), end);
    for (OperatorCall& call : due) guarded(call);
  }
  if (timers_.size(TimeDomain::kProcessing) != 0) {
    const std::int64_t now = processing_time();
    for (std::size_t most = timers_.size(TimeDomain::kProcessing); most != 0; --most) {
      const auto due = timers_.take(TimeDomain::kProcessing, now);
      if (!due) break;
      fire(*due);
    }
  }
  pass_time();
}

std::int64_t Services::next_due_ns() const {
  if (ended_) return INT64_MAX;
  if (time_is_due() || limit_ != limit()) return 0;
  std::int64_t next = delayed_.empty() ? INT64_MAX : delayed_.begin()->first;
  const std::int64_t timer = timers_.next(TimeDomain::kProcessing);
  if (timer == INT64_MAX) return next;
  // A far one is looked at again, in case the wall clock jumps.
  constexpr std::int64_t kLongestMs = 60'000;
  const std::int64_t now = processing_time();
  const std::int64_t wait = timer <= now ? 0 : timer > now + kLongestMs ? kLongestMs : timer - now;
  return std::min(next, clock_.now_ns() + wait * kNsPerMs);
}

void Services::end() noexcept {
  ended_ = true;
  mail_->end();
  timers_.clear();
  delayed_.clear();
}

// ---- what the operator asks ------------------------------------------------------------------

void Services::set_timer(TimeDomain domain, std::int64_t timestamp, std::string_view family,
                         std::string_view tag, std::string_view key, std::int64_t hold) {
  if (ended_) return;
  timers_.set({std::string(family), std::string(tag), std::string(key)}, domain, timestamp, hold);
  lower_limit();
}

bool Services::delete_timer(std::string_view family, std::string_view tag, std::string_view key) {
  return timers_.erase({std::string(family), std::string(tag), std::string(key)});
}

std::int64_t Services::processing_time() const { return clock_.wall_ms(); }

void Services::call_later(std::int64_t delay_ms, OperatorCall call) {
  if (ended_) return;
  constexpr std::int64_t kLongestMs = std::int64_t{100} * 365 * 24 * 3600 * 1000;
  const std::int64_t delay = std::clamp<std::int64_t>(delay_ms, 0, kLongestMs) * kNsPerMs;
  delayed_.emplace(clock_.now_ns() + delay, std::move(call));
}

std::int64_t Services::limit() const {
  std::int64_t least = timers_.least_hold();
  if (!held_.empty()) least = std::min(least, *held_.begin());
  if (least == INT64_MAX) return kMaxWatermark;
  return least == kNoTimestamp ? kNoTimestamp : least - 1;
}

// At once, while what a hold lets go of waits for the end of the current call.
void Services::lower_limit() {
  const std::int64_t wanted = limit();
  if (wanted >= limit_) return;
  limit_ = wanted;
  for (TaskOutput* output : place_.outputs) output->set_watermark_limit(limit_);
}

void Services::apply_limit() {
  const std::int64_t wanted = limit();
  if (wanted == limit_) return;
  limit_ = wanted;
  for (TaskOutput* output : place_.outputs) output->set_watermark_limit(limit_);
}

void Services::hold_watermark(std::string_view name, std::int64_t timestamp) {
  release_watermark(name);
  holds_.emplace(std::string(name), timestamp);
  held_.insert(timestamp);
  lower_limit();
}

void Services::release_watermark(std::string_view name) {
  const auto found = holds_.find(name);
  if (found == holds_.end()) return;
  held_.erase(held_.find(found->second));
  holds_.erase(found);
}

void Services::close_bundle() {
  if (bundles_ == 0) {
    throw InvalidInput("operator '" + place_.vertex.operator_name() +
                       "' closes a bundle, and none is open: close each once");
  }
  --bundles_;
}

void Services::gate_input(std::uint32_t input) { gate(input, true); }
void Services::ungate_input(std::uint32_t input) { gate(input, false); }

void Services::gate(std::uint32_t input, bool gated) {
  if (place_.link != 0) {
    throw InvalidInput(
        "operator '" + place_.vertex.operator_name() +
        "' is chained to its input, which can't be gated: leave that edge unchained");
  }
  host_.gate(input, gated);
}

KeyedState& Services::keyed_state(std::string_view name) {
  const auto found = states_.find(name);
  if (found != states_.end()) return *found->second;
  const RuntimeContext& vertex = place_.vertex;
  auto state = std::make_unique<ByteState>(
      "state '" + std::string(name) + "' of operator '" + vertex.operator_name() + "'",
      vertex.subtask_index(), vertex.parallelism(), vertex.max_parallelism());
  return *states_.emplace(std::string(name), std::move(state)).first->second;
}

void Services::tell(std::string text) {
  job_.tell(place_.vertex_place, place_.vertex.subtask_index(), std::move(text));
}

}  // namespace freshet::core
