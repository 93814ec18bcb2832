#include "high_availability/high_availability_in_memory.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <mutex>
#include <vector>

namespace freshet::core {
namespace {

template <class E, class T = void>
Future<T> failed_with(const std::string& words) {
  return make_failed_future<T>(std::make_exception_ptr(E(words)));
}

}  // namespace

class HighAvailabilityInMemory::State {
 public:
  struct Candidate {
    std::uint64_t member;
    std::string name;
    Contender* contender;
  };
  struct Expired {
    std::uint64_t member;
    std::uint64_t term;
    Contender* contender;
  };
  // What is to be called once the lock is free.
  using Calls = std::vector<std::function<void()>>;

  bool leads(std::uint64_t member) const {
    return !candidates_.empty() && candidates_.front().member == member;
  }
  void campaign(std::uint64_t member, const std::string& name, Contender& contender) {
    const std::lock_guard calling(calling_);
    Calls calls;
    {
      const std::lock_guard lock(mutex_);
      candidates_.push_back({member, name, &contender});
      if (candidates_.size() == 1) grant(calls);
    }
    run(calls);
  }
  // The next one leads if it did.
  void leave(std::uint64_t member, bool for_good) {
    const std::lock_guard calling(calling_);
    Calls calls;
    {
      const std::lock_guard lock(mutex_);
      const bool led = leads(member);
      std::erase_if(candidates_, [&](const Candidate& each) { return each.member == member; });
      std::erase_if(expired_, [&](const Expired& each) { return each.member == member; });
      if (for_good) listeners_.erase(member);
      if (led) hand_over(calls);
    }
    run(calls);
  }
  void expire() {
    const std::lock_guard calling(calling_);
    Calls calls;
    {
      const std::lock_guard lock(mutex_);
      if (candidates_.empty()) return;
      const Candidate former = candidates_.front();
      candidates_.pop_front();
      expired_.push_back({former.member, term_, former.contender});
      hand_over(calls);
    }
    run(calls);
  }
  void tell_expired() {
    const std::lock_guard calling(calling_);
    std::vector<Expired> told;
    {
      const std::lock_guard lock(mutex_);
      told.swap(expired_);
    }
    for (const Expired& each : told) each.contender->revoked(each.term, "its session has expired");
  }
  Future<void> publish(std::uint64_t member, const LeaderAddress& address) {
    const std::lock_guard calling(calling_);
    Calls calls;
    {
      const std::lock_guard lock(mutex_);
      if (!leads(member) || address.term != term_) return refuse(address.term);
      address_ = address;
      tell(calls);
    }
    run(calls);
    return make_ready_future();
  }
  void watch(std::uint64_t member, LeaderListener& listener) {
    const std::lock_guard calling(calling_);
    LeaderAddress now;
    {
      const std::lock_guard lock(mutex_);
      listeners_[member] = &listener;
      now = address_;
    }
    listener.leader_changed(now);
  }

  // [locked]
  void grant(Calls& calls) {
    calls.push_back(
        [contender = candidates_.front().contender, term = ++term_] { contender->granted(term); });
  }
  void hand_over(Calls& calls) {
    address_ = {};
    tell(calls);
    if (!candidates_.empty()) grant(calls);
  }
  void tell(Calls& calls) {
    for (const auto& [member, listener] : listeners_) {
      calls.push_back([listener = listener, now = address_] { listener->leader_changed(now); });
    }
  }
  Future<void> refuse(std::uint64_t term) {
    ++refused_;
    return failed_with<LeadershipLost>("term " + std::to_string(term) + " is over: term " +
                                       std::to_string(term_) + " was granted since");
  }
  static void run(const Calls& calls) {
    for (const auto& call : calls) call();
  }

  // Held while others are called, so that nobody is who has left. They may call back.
  std::recursive_mutex calling_;
  mutable std::mutex mutex_;
  std::uint64_t term_ = 0, last_member_ = 0, refused_ = 0;
  std::deque<Candidate> candidates_;
  std::vector<Expired> expired_;
  std::map<std::uint64_t, LeaderListener*> listeners_;
  LeaderAddress address_;
  std::string broken_;
  std::map<std::string, std::string> graphs_, results_;
  std::map<std::string, std::uint64_t> results_put_;
};

class HighAvailabilityInMemory::Store final : public JobStore {
 public:
  Store(State& state, std::map<std::string, std::string>& kept) : state_(state), kept_(kept) {}

  Future<void> put(std::uint64_t term, const std::string& job_id,
                   const std::string& bytes) override {
    return write(term, [&] {
      kept_[job_id] = bytes;
      if (&kept_ == &state_.results_) ++state_.results_put_[job_id];
    });
  }
  Future<void> remove(std::uint64_t term, const std::string& job_id) override {
    return write(term, [&] { kept_.erase(job_id); });
  }
  Future<std::vector<std::string>> ids() override {
    const std::lock_guard lock(state_.mutex_);
    using Ids = std::vector<std::string>;
    if (!state_.broken_.empty()) return failed_with<StoreUnavailable, Ids>(state_.broken_);
    Ids ids;
    for (const auto& [id, bytes] : kept_) ids.push_back(id);
    return make_ready_future(std::move(ids));
  }
  Future<std::optional<std::string>> get(const std::string& job_id) override {
    const std::lock_guard lock(state_.mutex_);
    using Bytes = std::optional<std::string>;
    if (!state_.broken_.empty()) return failed_with<StoreUnavailable, Bytes>(state_.broken_);
    const auto found = kept_.find(job_id);
    return make_ready_future(found == kept_.end() ? Bytes() : Bytes(found->second));
  }

 private:
  template <class F>
  Future<void> write(std::uint64_t term, F change) {
    const std::lock_guard lock(state_.mutex_);
    if (term != state_.term_) return state_.refuse(term);
    if (!state_.broken_.empty()) return failed_with<StoreUnavailable>(state_.broken_);
    change();
    return make_ready_future();
  }

  State& state_;
  std::map<std::string, std::string>& kept_;
};

class HighAvailabilityInMemory::Member final : public HighAvailability,
                                               private LeaderElection,
                                               private LeaderRetrieval {
 public:
  explicit Member(std::shared_ptr<State> state)
      : state_(std::move(state)),
        graphs_(*state_, state_->graphs_),
        results_(*state_, state_->results_) {
    const std::lock_guard lock(state_->mutex_);
    number_ = ++state_->last_member_;
  }
  ~Member() override { state_->leave(number_, true); }

  LeaderElection& election() override { return *this; }
  LeaderRetrieval& retrieval() override { return *this; }
  JobStore& job_graphs() override { return graphs_; }
  JobStore& job_results() override { return results_; }
  std::string describe() const override { return "in the memory of this process"; }

 private:
  void campaign(const std::string& candidate, Contender& contender) override {
    state_->campaign(number_, candidate, contender);
  }
  Future<void> publish(const LeaderAddress& address) override {
    return state_->publish(number_, address);
  }
  Future<void> give_up() override {
    state_->leave(number_, false);
    return make_ready_future();
  }
  void watch(LeaderListener& listener) override { state_->watch(number_, listener); }

  const std::shared_ptr<State> state_;
  std::uint64_t number_ = 0;
  Store graphs_, results_;
};

HighAvailabilityInMemory::HighAvailabilityInMemory() : state_(std::make_shared<State>()) {}
HighAvailabilityInMemory::~HighAvailabilityInMemory() = default;

std::unique_ptr<HighAvailability> HighAvailabilityInMemory::join() {
  return std::make_unique<Member>(state_);
}

void HighAvailabilityInMemory::expire_leader() { state_->expire(); }
void HighAvailabilityInMemory::tell_expired() { state_->tell_expired(); }
void HighAvailabilityInMemory::break_stores(const std::string& why) {
  const std::lock_guard lock(state_->mutex_);
  state_->broken_ = why;
}

std::uint64_t HighAvailabilityInMemory::term() const {
  const std::lock_guard lock(state_->mutex_);
  return state_->term_;
}
std::string HighAvailabilityInMemory::leader() const {
  const std::lock_guard lock(state_->mutex_);
  return state_->candidates_.empty() ? "" : state_->candidates_.front().name;
}
LeaderAddress HighAvailabilityInMemory::address() const {
  const std::lock_guard lock(state_->mutex_);
  return state_->address_;
}
std::map<std::string, std::string> HighAvailabilityInMemory::job_graphs() const {
  const std::lock_guard lock(state_->mutex_);
  return state_->graphs_;
}
std::map<std::string, std::string> HighAvailabilityInMemory::job_results() const {
  const std::lock_guard lock(state_->mutex_);
  return state_->results_;
}
std::uint64_t HighAvailabilityInMemory::writes_refused() const {
  const std::lock_guard lock(state_->mutex_);
  return state_->refused_;
}
std::uint64_t HighAvailabilityInMemory::results_put(const std::string& job_id) const {
  const std::lock_guard lock(state_->mutex_);
  const auto found = state_->results_put_.find(job_id);
  return found == state_->results_put_.end() ? 0 : found->second;
}

}  // namespace freshet::core
