// A deployer of clusters on this host, but for one thing that is wrong with it: the one that
// FRESHET_TEST_BAD names.
#include <signal.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>

#include "freshet/error.h"
#include "freshet/options.h"
#include "freshet/plugin/cluster_deployer.h"
#include "freshet/plugin/plugin_registration.h"
#include "freshet/target.h"

namespace {

using freshet::ClusterClient;
using freshet::ClusterRecord;
using freshet::Configuration;
using freshet::DeployerServices;
using freshet::Future;
using ClientFuture = Future<std::unique_ptr<ClusterClient>>;

bool bad(std::string_view what) {
  const char* chosen = std::getenv("FRESHET_TEST_BAD");
  return chosen != nullptr && what == chosen;
}

class BadDeployer final : public freshet::ClusterDeployer {
 public:
  explicit BadDeployer(DeployerServices& services) : services_(services) {}

  ClientFuture deploy_session(const Configuration& configuration) override {
    ClusterRecord record;
    record.cluster_id = configuration.get(freshet::options::kClusterId);
    for (const ClusterRecord& known : services_.records()) {
      if (known.cluster_id != record.cluster_id) continue;
      if (bad("takes an id twice")) return services_.connect(known, kPatienceMs);
      return freshet::make_failed_future<std::unique_ptr<ClusterClient>>(
          std::make_exception_ptr(freshet::InvalidInput("it is there already")));
    }
    const auto [manager_public, manager_secret] = services_.make_key_pair();
    const auto [client_public, client_secret] = services_.make_key_pair();
    record.deployer = "bad";
    record.public_key = manager_public;
    record.client_key = client_secret;
    record.since_ms = std::int64_t{1'000} * std::time(nullptr);
    services_.write_record(record);
    // Keys are Z85, which has no character that JSON would escape.
    const std::string keys =
        R"({"secret_key": ")" + manager_secret + R"(", "clients": [")" + client_public + R"("]})";
    record.details["jobmanager"] = std::to_string(services_.start_detached(
        record.cluster_id, "jobmanager",
        {services_.program(), "jobmanager", "--cluster-id=" + record.cluster_id, "--inherited"},
        keys));
    services_.write_record(record);
    return services_.connect(record, kPatienceMs);
  }

  ClientFuture deploy_application(const freshet::ApplicationSpec&,
                                  const Configuration& configuration) override {
    return deploy_session(configuration);
  }

  ClientFuture retrieve(const Configuration& configuration) override {
    const std::string id = configuration.get(freshet::options::kClusterId);
    if (bad("does not say where it looked")) {
      if (services_.records().empty()) throw freshet::InvalidInput("there is no '" + id + "'");
    }
    return services_.connect(services_.read_record(id), kPatienceMs);
  }

  Future<void> kill(const std::string& cluster_id) override {
    bool known = false;
    for (const ClusterRecord& record : services_.records()) {
      known = known || record.cluster_id == cluster_id;
      if (!bad("leaves processes"))
        ::kill(static_cast<pid_t>(std::stol(record.details.at("jobmanager"))), SIGKILL);
    }
    if (!known && bad("knows nothing of the dead"))
      return freshet::make_failed_future<void>(
          std::make_exception_ptr(freshet::InvalidInput("no such cluster")));
    if (!bad("leaves the record")) services_.remove_record(cluster_id);
    return freshet::make_ready_future();
  }

  Future<std::vector<std::string>> task_managers(const std::string& cluster_id) override {
    if (bad("says that it resizes")) return freshet::make_ready_future(std::vector<std::string>{});
    return ClusterDeployer::task_managers(cluster_id);
  }
  Future<std::vector<std::string>> resize(const std::string& cluster_id,
                                          std::uint32_t count) override {
    if (bad("says that it resizes"))
      return freshet::make_ready_future(std::vector<std::string>(count, "taskmanager"));
    if (bad("resizes in secret")) return freshet::make_ready_future(std::vector<std::string>{});
    return ClusterDeployer::resize(cluster_id, count);
  }

  std::string describe() const override {
    return bad("says nothing of itself") ? "" : "a job manager on this host";
  }

 private:
  static constexpr std::int64_t kPatienceMs = 10'000;
  DeployerServices& services_;
};

class BadDeployerFactory final : public freshet::ClusterDeployerFactory {
 public:
  const char* name() const override { return "bad"; }
  bool is_compatible_with(const Configuration& configuration) const override {
    const auto target = freshet::Target::of(configuration);
    return bad("takes any target") ? target.name.rfind("bad", 0) == 0 : target.name == name();
  }
  std::unique_ptr<freshet::ClusterDeployer> create(DeployerServices& services) const override {
    return std::make_unique<BadDeployer>(services);
  }
};

}  // namespace

FRESHET_DEPLOYER_PLUGIN("bad", "0.1.0", BadDeployerFactory);
