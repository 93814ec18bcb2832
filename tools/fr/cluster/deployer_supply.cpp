#include "cluster/deployer_supply.h"

namespace freshet::tool {
using namespace core;

DeployerSupply::DeployerSupply(ControlThread& thread, const Configuration& configuration,
                               const std::string& deployer, std::string cluster_id)
    : thread_(thread),
      configuration_(for_deployer(deployer, configuration)),
      cluster_id_(std::move(cluster_id)) {}

DeployerSupply::~DeployerSupply() { stop(); }

void DeployerSupply::stop() {
  if (calling_.joinable()) calling_.join();
}

Future<std::vector<std::string>> DeployerSupply::task_managers() {
  return call([this](ClusterDeployer& deployer) { return deployer.task_managers(cluster_id_); });
}

Future<std::vector<std::string>> DeployerSupply::resize(std::uint32_t task_managers) {
  return call([this, task_managers](ClusterDeployer& deployer) {
    return deployer.resize(cluster_id_, task_managers);
  });
}

// Loading a plugin takes time and reads files, so a thread does it.
Future<std::vector<std::string>> DeployerSupply::call(
    std::function<Future<Names>(ClusterDeployer&)> what) {
  stop();  // the one before is complete
  const auto promise = std::make_shared<Promise<Names>>();
  const auto answered = [this, promise](Future<Names> answer) {
    thread_.post("deployer: answered", [promise, answer = std::move(answer)] {
      try {
        promise->set_value(answer.get());
      } catch (...) {
        promise->set_error(std::current_exception());
      }
    });
  };
  auto future = promise->future();
  calling_ = std::thread([this, what = std::move(what), answered] {
    try {
      if (!deployer_) deployer_ = std::make_unique<ChosenDeployer>(configuration_);
      const Future<Names> answer = what(*deployer_->operator->());
      answer.wait();
      answered(answer);
    } catch (...) {
      answered(make_failed_future<Names>(std::current_exception()));
    }
  });
  return future;
}

}  // namespace freshet::tool
