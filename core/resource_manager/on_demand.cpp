#include "resource_manager/on_demand.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <limits>

#include "rare_paths/rare_paths.h"

namespace freshet::core {
namespace {

constexpr int kTries = 3;
constexpr std::int64_t kPauseMs = 1'000;  // after the first failure; doubled by each

std::string count_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " more task manager" : " more task managers");
}

}  // namespace

TaskManagerSupply::~TaskManagerSupply() = default;

OnDemand::OnDemand(ControlThread& thread, ResourceManager& resources, TaskManagers& task_managers,
                   TaskManagerSupply& supply, OnDemandOptions options)
    : thread_(thread),
      resources_(resources),
      task_managers_(task_managers),
      supply_(supply),
      options_(options) {
  resources_.watch(
      {[this] { look_soon(); }, [this](std::uint32_t needed) { return text_for(needed); }});
}

OnDemand::~OnDemand() {
  alive_.end();
  stop();
}

void OnDemand::stop() {
  stopped_ = true;
  resources_.watch({});
  if (timer_) thread_.cancel(*timer_);
}

std::int64_t OnDemand::now_ms() const { return thread_.clock().now_ns() / 1'000'000; }

// ---- what is to be done -------------------------------------------------------------------------

void OnDemand::look_soon() {
  if (look_is_posted_ || stopped_) return;
  look_is_posted_ = true;
  thread_.post("on demand: look", alive_.guard([this] {
    look_is_posted_ = false;
    look();
  }));
}

void OnDemand::look() {
  if (stopped_) return;
  note_arrivals();
  give_up_the_late();
  let_go_of_the_idle();
  const bool may_call = !asking_ && now_ms() >= not_before_ms_;
  if (may_call && !leaving_.empty()) {
    take_away();
  } else if (may_call && tries_ < kTries && need().missing > 0) {
    ask();
  }
  set_timer();
}

void OnDemand::note_arrivals() {
  const auto has_come = [this](const std::string& name) { return task_managers_.has(name); };
  if (std::erase_if(coming_, [&](const auto& each) { return has_come(each.first); }) > 0)
    tries_ = 0;
  std::erase_if(late_, has_come);
  if (requests_seen_ != resources_.requests_made()) {
    requests_seen_ = resources_.requests_made();
    if (tries_ == kTries) tries_ = 0;
  }
}

void OnDemand::give_up_the_late() {
  for (auto each = coming_.begin(); each != coming_.end();) {
    if (each->second > now_ms() && !takes_rare_path(RarePath::kStartGivenUp)) {
      ++each;
      continue;
    }
    const std::string name = each->first;
    each = coming_.erase(each);
    if (brought_.erase(name) == 0) {
      late_.insert(name);
      continue;
    }
    const std::string why = "it has not registered within " + std::to_string(options_.start_ms) +
                            " ms (resource-manager.start-timeout)";
    task_managers_.let_go(name, why);
    leaving_.insert(name);
    failed("task manager '" + name + "' is given up: " + why);
  }
}

void OnDemand::let_go_of_the_idle() {
  const bool wanted = need().wanted > 0;
  for (auto each = brought_.begin(); each != brought_.end();) {
    const std::string name = *each++;
    if (!task_managers_.is_idle(name)) {
      idle_.erase(name);
      continue;
    }
    const std::int64_t since = idle_.emplace(name, now_ms()).first->second;
    if (wanted || (now_ms() < since + options_.idle_ms && !takes_rare_path(RarePath::kIdleLetGo))) {
      continue;
    }
    task_managers_.let_go(name, "it was brought on demand and held no slot for " +
                                    std::to_string(options_.idle_ms) +
                                    " ms (resource-manager.idle-timeout)");
    brought_.erase(name);
    idle_.erase(name);
    leaving_.insert(name);
  }
}

OnDemand::Need OnDemand::need() const {
  const SlotCounts have = resources_.counts();
  const std::uint64_t coming = coming_.size() * options_.slots;
  Need need;
  for (const std::uint32_t count : resources_.waiting_counts())
    if (count <= have.total + coming + room() * options_.slots) need.wanted += count;
  const std::uint64_t covered = have.free + coming;
  need.missing = need.wanted > covered ? need.wanted - covered : 0;
  return need;
}

// One that was here and is not any more has made room, as far as is known: the deployer is asked
// anew before more are started.
std::uint64_t OnDemand::room() const {
  const auto kept = std::count_if(kept_.begin(), kept_.end(), [this](const std::string& name) {
    return task_managers_.has(name) || coming_.count(name) != 0 || late_.count(name) != 0 ||
           leaving_.count(name) != 0;
  });
  const auto most = static_cast<std::int64_t>(options_.most);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(most - kept, 0));
}

// ---- the deployer -------------------------------------------------------------------------------

void OnDemand::take_away() {
  asking_ = true;
  alive_.on_done(supply_.task_managers(), [this](const Future<Names>& done) {
    if (!learn(done)) return;
    const auto stay = std::count_if(kept_.begin(), kept_.end(), [this](const std::string& name) {
      return leaving_.count(name) == 0;
    });
    if (static_cast<std::size_t>(stay) == kept_.size()) {
      leaving_.clear();
      look_soon();
      return;
    }
    resize(static_cast<std::uint32_t>(stay), [this, going = leaving_] {
      for (const std::string& name : going) leaving_.erase(name);
    });
  });
}

void OnDemand::ask() {
  asking_ = true;
  alive_.on_done(supply_.task_managers(), [this](const Future<Names>& done) {
    if (!learn(done)) return;
    const std::uint64_t missing = need().missing;
    const std::uint64_t more = std::min(room(), (missing + options_.slots - 1) / options_.slots);
    if (more > 0) {
      grow(static_cast<std::uint32_t>(more));
    } else {
      set_timer();
    }
  });
}

void OnDemand::grow(std::uint32_t more) {
  asked_for_ = more;
  const auto target = static_cast<std::uint32_t>(kept_.size()) + more;
  spdlog::info("jobs wait for {} slots: the deployer is asked for {}, {} in all", need().wanted,
               count_text(more), target);
  resize(target, [] {});
}

// What is new in the answer was started for us, also by a call that should have taken some away: of
// those that the deployer had when it was asked before, more may have ended than were let go.
void OnDemand::resize(std::uint32_t count, std::function<void()> on_done) {
  asking_ = true;
  const std::set<std::string> before(kept_.begin(), kept_.end());
  alive_.on_done(supply_.resize(count),
                 [this, before, on_done = std::move(on_done)](const Future<Names>& done) {
                   asked_for_ = 0;
                   if (!learn(done)) return;
                   for (const std::string& name : kept_)
                     if (before.count(name) == 0) brought_.insert(name);
                   on_done();
                   look_soon();
                 });
}

bool OnDemand::learn(const Future<Names>& answer) {
  asking_ = false;
  try {
    kept_ = answer.get();
  } catch (const std::exception& error) {
    failed(error.what());
    set_timer();
    return false;
  }
  const auto is_gone = [this](const std::string& name) {
    return std::find(kept_.begin(), kept_.end(), name) == kept_.end();
  };
  std::erase_if(brought_, is_gone);
  std::erase_if(late_, is_gone);
  std::erase_if(idle_, [&](const auto& each) { return is_gone(each.first); });
  std::erase_if(coming_, [&](const auto& each) { return is_gone(each.first); });
  for (const std::string& name : kept_) {
    if (!task_managers_.has(name) && late_.count(name) == 0 && leaving_.count(name) == 0)
      coming_.emplace(name, now_ms() + options_.start_ms);
  }
  return true;
}

void OnDemand::failed(const std::string& why) {
  last_error_ = why;
  not_before_ms_ = now_ms() + (kPauseMs << tries_);
  if (tries_ == kTries) leaving_.clear();  // the deployer has been told often enough
  tries_ = std::min(tries_ + 1, kTries);
  spdlog::warn("task managers on demand: {}{}", why,
               tries_ == kTries ? ": no more are asked for until another job waits" : "");
}

// ---- time and words -----------------------------------------------------------------------------

void OnDemand::set_timer() {
  if (timer_) thread_.cancel(*timer_);
  timer_.reset();
  if (stopped_) return;
  constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();
  std::int64_t next = kNever;
  for (const auto& [name, until] : coming_) next = std::min(next, until);
  const Need now = need();
  if (now.wanted == 0)
    for (const auto& [name, since] : idle_) next = std::min(next, since + options_.idle_ms);
  const bool wants = !leaving_.empty() || (tries_ < kTries && now.missing > 0);
  if (!asking_ && wants && not_before_ms_ > now_ms()) next = std::min(next, not_before_ms_);
  if (next == kNever) return;
  timer_ = thread_.after_ms(std::max<std::int64_t>(next - now_ms(), 1), "on demand: due",
                            alive_.guard([this] {
                              timer_.reset();
                              look();
                            }));
}

std::string OnDemand::text_for(std::uint32_t needed) const {
  const auto coming = std::count_if(coming_.begin(), coming_.end(), [this](const auto& each) {
    return brought_.count(each.first) != 0;
  });
  const std::uint64_t asked = asked_for_ + static_cast<std::uint64_t>(coming);
  if (asked > 0) return "; " + count_text(asked) + (asked == 1 ? " was" : " were") + " asked for";
  const SlotCounts have = resources_.counts();
  if (needed > have.total + (coming_.size() + room()) * options_.slots)
    return "; no more than " + std::to_string(options_.most) +
           " task managers are started (resource-manager.max-task-managers)";
  if (tries_ > 0) return "; more task managers were asked for in vain: " + last_error_;
  return "";
}

}  // namespace freshet::core
