// For one process: who campaigns leads at once.
#include "freshet/plugin/high_availability.h"

#include <map>

#include "freshet/options.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

using freshet::Future;

class Store final : public freshet::JobStore {
 public:
  Future<void> put(std::uint64_t term, const std::string& id, const std::string& bytes) override {
    if (term != 1) {
      return freshet::make_failed_future<void>(
          std::make_exception_ptr(freshet::LeadershipLost("term 1 leads")));
    }
    bytes_[id] = bytes;
    return freshet::make_ready_future();
  }
  Future<void> remove(std::uint64_t, const std::string& id) override {
    bytes_.erase(id);
    return freshet::make_ready_future();
  }
  Future<std::vector<std::string>> ids() override {
    std::vector<std::string> ids;
    for (const auto& [id, bytes] : bytes_) ids.push_back(id);
    return freshet::make_ready_future(std::move(ids));
  }
  Future<std::optional<std::string>> get(const std::string& id) override {
    const auto found = bytes_.find(id);
    return freshet::make_ready_future(
        found == bytes_.end() ? std::nullopt : std::optional<std::string>(found->second));
  }

 private:
  std::map<std::string, std::string> bytes_;
};

class Service final : public freshet::HighAvailability,
                      private freshet::LeaderElection,
                      private freshet::LeaderRetrieval {
 public:
  LeaderElection& election() override { return *this; }
  LeaderRetrieval& retrieval() override { return *this; }
  freshet::JobStore& job_graphs() override { return graphs_; }
  freshet::JobStore& job_results() override { return results_; }
  std::string describe() const override { return "this process"; }

 private:
  void campaign(const std::string& candidate, freshet::Contender& contender) override {
    leader_.candidate = candidate;
    contender_ = &contender;
    contender.granted(1);
  }
  Future<void> publish(const freshet::LeaderAddress& address) override {
    leader_ = address;
    if (listener_ != nullptr) listener_->leader_changed(leader_);
    return freshet::make_ready_future();
  }
  Future<void> give_up() override {
    contender_->revoked(1, "given up by " + leader_.candidate);
    return freshet::make_ready_future();
  }
  void watch(freshet::LeaderListener& listener) override { listener_ = &listener; }

  freshet::LeaderAddress leader_;
  freshet::Contender* contender_ = nullptr;
  freshet::LeaderListener* listener_ = nullptr;
  Store graphs_, results_;
};

class Factory final : public freshet::HighAvailabilityFactory {
 public:
  const char* name() const override { return "kept"; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return configuration.find(freshet::options::kHighAvailabilityType) == name();
  }
  std::unique_ptr<freshet::HighAvailability> create(const freshet::Configuration&,
                                                    const std::string&) const override {
    return std::make_unique<Service>();
  }
};

}  // namespace

FRESHET_HIGH_AVAILABILITY_PLUGIN("kept-high-availability", "1.0.0", Factory);
