// Deploys nothing, but calls each function of its services and, of the client that it gets, the
// first, one in the middle and the last.
#include "freshet/options.h"
#include "freshet/plugin/cluster_deployer.h"
#include "freshet/plugin/plugin_registration.h"

namespace {

using Client = std::unique_ptr<freshet::ClusterClient>;

class KeptDeployer final : public freshet::ClusterDeployer {
 public:
  explicit KeptDeployer(freshet::DeployerServices& services) : services_(services) {}

  freshet::Future<Client> deploy_session(const freshet::Configuration& configuration) override {
    freshet::ClusterRecord record;
    record.cluster_id = configuration.get(freshet::options::kClusterId);
    record.deployer = "kept";
    std::tie(record.public_key, record.client_key) = services_.make_key_pair();
    record.since_ms = 7;
    const std::shared_ptr<void> lock = services_.lock_cluster(record.cluster_id);
    services_.write_record(record);
    record.details["process"] = std::to_string(services_.start_detached(
        record.cluster_id, "jobmanager", {services_.program(), "jobmanager"}, "handed over"));
    services_.write_record(record);
    return services_.connect(record, 1234);
  }
  freshet::Future<Client> deploy_application(const freshet::ApplicationSpec& application,
                                             const freshet::Configuration& configuration) override {
    return deploy_session(configuration).then([application](Client&& client) {
      client->submit_application(application).get();
      return std::move(client);
    });
  }
  freshet::Future<Client> retrieve(const freshet::Configuration& configuration) override {
    const std::string id = configuration.get(freshet::options::kClusterId);
    return services_.connect(services_.read_record(id), 5678);
  }
  freshet::Future<void> kill(const std::string& cluster_id) override {
    const Client client = services_.connect(services_.read_record(cluster_id), 1).get();
    if (client->cluster_id() != cluster_id) throw freshet::Error("another cluster");
    client->shut_down().get();
    services_.remove_record(cluster_id);
    return freshet::make_ready_future();
  }
  std::string describe() const override {
    return std::to_string(services_.records().size()) + " in " + services_.records_folder();
  }
  freshet::Future<std::vector<std::string>> resize(const std::string& cluster_id,
                                                   std::uint32_t task_managers) override {
    return services_.connect(services_.read_record(cluster_id), 1).then([=](Client&& client) {
      return client->release_task_managers({"a", "b"}, task_managers).get();
    });
  }

 private:
  freshet::DeployerServices& services_;
};

class KeptDeployerFactory final : public freshet::ClusterDeployerFactory {
 public:
  const char* name() const override { return "kept"; }
  bool is_compatible_with(const freshet::Configuration& configuration) const override {
    return configuration.find(freshet::options::kExecutionTarget) == "kept-session";
  }
  std::unique_ptr<freshet::ClusterDeployer> create(
      freshet::DeployerServices& services) const override {
    return std::make_unique<KeptDeployer>(services);
  }
};

}  // namespace

FRESHET_DEPLOYER_PLUGIN("kept-deployer", "1.0.0", KeptDeployerFactory);
