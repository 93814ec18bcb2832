#include "high_availability/no_high_availability.h"

namespace freshet::core {
namespace {

class LeadsAlone final : public LeaderElection {
 public:
  void campaign(const std::string&, Contender& contender) override { contender.granted(1); }
  Future<void> publish(const LeaderAddress&) override { return make_ready_future(); }
  Future<void> give_up() override { return make_ready_future(); }
};

class NobodyKnown final : public LeaderRetrieval {
 public:
  void watch(LeaderListener& listener) override { listener.leader_changed({}); }
};

class KeepsNothing final : public JobStore {
 public:
  Future<void> put(std::uint64_t, const std::string&, const std::string&) override {
    return make_ready_future();
  }
  Future<void> remove(std::uint64_t, const std::string&) override { return make_ready_future(); }
  Future<std::vector<std::string>> ids() override {
    return make_ready_future(std::vector<std::string>());
  }
  Future<std::optional<std::string>> get(const std::string&) override {
    return make_ready_future(std::optional<std::string>());
  }
};

class NoHighAvailability final : public HighAvailability {
 public:
  LeaderElection& election() override { return election_; }
  LeaderRetrieval& retrieval() override { return retrieval_; }
  JobStore& job_graphs() override { return store_; }
  JobStore& job_results() override { return store_; }
  std::string describe() const override { return "none: nothing outlives the job manager"; }

 private:
  LeadsAlone election_;
  NobodyKnown retrieval_;
  KeepsNothing store_;
};

}  // namespace

std::unique_ptr<HighAvailability> make_no_high_availability() {
  return std::make_unique<NoHighAvailability>();
}

}  // namespace freshet::core
