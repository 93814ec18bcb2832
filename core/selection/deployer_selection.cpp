#include "selection/deployer_selection.h"

#include <type_traits>
#include <utility>

#include "task/shared_end.h"

namespace freshet::core {
namespace {

// What its continuations run on counts as a thread of the runtime: mostly it is the deployer's own.
template <class T>
Future<T> on_marked_thread(const Future<T>& answer) {
  Promise<T> promise;
  Future<T> marked = promise.future();
  const auto ignored = answer.then([promise = std::move(promise)](Future<T> done) mutable {
    const RuntimeThreadMark mark;
    try {
      if constexpr (std::is_void_v<T>) {
        done.get();
        promise.set_value();
      } else {
        promise.set_value(done.get());
      }
    } catch (...) {
      promise.set_error(std::current_exception());
    }
  });
  static_cast<void>(ignored);
  return marked;
}

// A plugin's deployer waits for its threads when it is destroyed, and whoever holds it may let go
// of it in the continuation of one of its calls.
class DeployerOfAPlugin final : public ClusterDeployer {
 public:
  explicit DeployerOfAPlugin(std::unique_ptr<ClusterDeployer> deployer)
      : deployer_(share_with_own_threads(std::move(deployer))) {}

  Future<std::unique_ptr<ClusterClient>> deploy_session(
      const Configuration& configuration) override {
    return on_marked_thread(deployer_->deploy_session(configuration));
  }
  Future<std::unique_ptr<ClusterClient>> deploy_application(
      const ApplicationSpec& application, const Configuration& configuration) override {
    return on_marked_thread(deployer_->deploy_application(application, configuration));
  }
  Future<std::unique_ptr<ClusterClient>> retrieve(const Configuration& configuration) override {
    return on_marked_thread(deployer_->retrieve(configuration));
  }
  Future<void> kill(const std::string& cluster_id) override {
    return on_marked_thread(deployer_->kill(cluster_id));
  }
  std::string describe() const override { return deployer_->describe(); }
  Future<std::vector<std::string>> resize(const std::string& cluster_id,
                                          std::uint32_t task_managers) override {
    return on_marked_thread(deployer_->resize(cluster_id, task_managers));
  }
  Future<std::vector<std::string>> task_managers(const std::string& cluster_id) override {
    return on_marked_thread(deployer_->task_managers(cluster_id));
  }

 private:
  const std::shared_ptr<ClusterDeployer> deployer_;
};

}  // namespace

NoDeployer::~NoDeployer() = default;
SeveralDeployers::~SeveralDeployers() = default;

SelectedDeployer select_deployer(PluginCatalog& catalog, const Configuration& configuration) {
  return select_factory<ClusterDeployerFactory, NoDeployer, SeveralDeployers>(
      catalog, FRESHET_KIND_DEPLOYER, "deploy", configuration);
}

bool is_cluster_target(PluginCatalog& catalog, const Configuration& configuration,
                       std::vector<std::string>& skipped) {
  if (!configuration.contains(options::kExecutionTarget)) return false;
  const auto answers =
      ask_factories<ClusterDeployerFactory>(catalog, FRESHET_KIND_DEPLOYER, configuration);
  skipped.insert(skipped.end(), answers.warnings.begin(), answers.warnings.end());
  return !answers.compatible.empty();
}

std::unique_ptr<ClusterDeployer> make_deployer(const SelectedDeployer& selected,
                                               DeployerServices& services) {
  return std::make_unique<DeployerOfAPlugin>(
      make_from<ClusterDeployer>(selected, "ClusterDeployerFactory", "a deployer", services));
}

}  // namespace freshet::core
