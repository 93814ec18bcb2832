// A high-availability service in the memory of one process, with one thing wrong that the
// environment variable FRESHET_TEST_BAD names; nothing, if it names none.
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "freshet/options.h"
#include "freshet/plugin/high_availability.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

using freshet::Contender;
using freshet::Future;
using freshet::LeaderAddress;
using Bytes = std::map<std::string, std::string>;

bool bad(const std::string& what) {
  const char* const wrong = std::getenv("FRESHET_TEST_BAD");
  return wrong != nullptr && what == wrong;
}

struct Cluster {
  std::mutex mutex;
  std::uint64_t term = 0;
  std::deque<std::pair<const void*, Contender*>> candidates;
  std::vector<freshet::LeaderListener*> listeners;
  Bytes graphs, results;
};
Cluster& cluster() {
  static Cluster the_one;
  return the_one;
}

Future<void> refused(std::uint64_t term) {
  return freshet::make_failed_future<void>(std::make_exception_ptr(
      freshet::LeadershipLost("term " + std::to_string(term) + " is not the last one")));
}

class Store final : public freshet::JobStore {
 public:
  explicit Store(Bytes& bytes) : bytes_(bytes) {}
  Future<void> put(std::uint64_t term, const std::string& id, const std::string& bytes) override {
    const std::lock_guard lock(cluster().mutex);
    if (term != cluster().term && !bad("does not fence")) return refused(term);
    bytes_[id] = bad("ends at a zero") ? bytes.c_str() : bytes;
    return freshet::make_ready_future();
  }
  Future<void> remove(std::uint64_t term, const std::string& id) override {
    const std::lock_guard lock(cluster().mutex);
    if (term != cluster().term) return refused(term);
    if (!bad("keeps what is removed")) bytes_.erase(id);
    return freshet::make_ready_future();
  }
  Future<std::vector<std::string>> ids() override {
    const std::lock_guard lock(cluster().mutex);
    std::vector<std::string> ids;
    for (const auto& [id, bytes] : bytes_) ids.push_back(id);
    return freshet::make_ready_future(std::move(ids));
  }
  Future<std::optional<std::string>> get(const std::string& id) override {
    const std::lock_guard lock(cluster().mutex);
    const auto found = bytes_.find(id);
    using Got = std::optional<std::string>;
    return freshet::make_ready_future(found == bytes_.end() ? Got() : Got(found->second));
  }

 private:
  Bytes& bytes_;
};

class Service final : public freshet::HighAvailability,
                      private freshet::LeaderElection,
                      private freshet::LeaderRetrieval {
 public:
  ~Service() override { leave(); }
  LeaderElection& election() override { return *this; }
  LeaderRetrieval& retrieval() override { return *this; }
  freshet::JobStore& job_graphs() override { return graphs_; }
  freshet::JobStore& job_results() override { return results_; }
  std::string describe() const override { return "one process"; }

 private:
  void campaign(const std::string&, Contender& contender) override {
    std::unique_lock lock(cluster().mutex);
    cluster().candidates.emplace_back(this, &contender);
    if (cluster().candidates.size() > 1 && !bad("lets two lead")) return;
    const std::uint64_t term = ++cluster().term;
    lock.unlock();
    contender.granted(term);
  }
  Future<void> publish(const LeaderAddress& address) override {
    std::unique_lock lock(cluster().mutex);
    if (address.term != cluster().term) return refused(address.term);
    const auto listeners = cluster().listeners;
    lock.unlock();
    for (auto* each : listeners) each->leader_changed(address);
    return freshet::make_ready_future();
  }
  Future<void> give_up() override {
    leave();
    return freshet::make_ready_future();
  }
  void watch(freshet::LeaderListener& listener) override {
    const std::lock_guard lock(cluster().mutex);
    cluster().listeners.push_back(&listener);
  }
  void leave() {
    std::unique_lock lock(cluster().mutex);
    auto& candidates = cluster().candidates;
    const bool led = !candidates.empty() && candidates.front().first == this;
    std::erase_if(candidates, [this](const auto& each) { return each.first == this; });
    if (!led || candidates.empty()) return;
    if (!bad("keeps its term")) ++cluster().term;
    const std::uint64_t term = cluster().term;
    Contender* const next = candidates.front().second;
    lock.unlock();
    next->granted(term);
  }

  Store graphs_{cluster().graphs};
  Store results_{bad("has one store") ? cluster().graphs : cluster().results};
};

class Factory final : public freshet::HighAvailabilityFactory {
 public:
  const char* name() const override { return "bad"; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return bad("takes any type") ||
           configuration.find(freshet::options::kHighAvailabilityType) == "bad";
  }
  std::unique_ptr<freshet::HighAvailability> create(const freshet::Configuration&,
                                                    const std::string&) const override {
    return std::make_unique<Service>();
  }
};

}  // namespace

FRESHET_HIGH_AVAILABILITY_PLUGIN("bad", "0.1.0", Factory);
