// The deployer of a cluster as its job manager has it: its plugin is loaded when it is needed
// first.
//
// Threads    The calls from the control thread, one at a time; stop() and the destructor from a
//            thread without fibers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cluster/chosen_deployer.h"
#include "control/control_thread.h"
#include "freshet/configuration.h"
#include "resource_manager/on_demand.h"

namespace freshet::tool {
using namespace core;

class DeployerSupply final : public TaskManagerSupply {
 public:
  // `deployer` is its name in the cluster's record. The thread outlives it.
  DeployerSupply(ControlThread& thread, const Configuration& configuration,
                 const std::string& deployer, std::string cluster_id);
  ~DeployerSupply() override;
  DeployerSupply(const DeployerSupply&) = delete;
  DeployerSupply& operator=(const DeployerSupply&) = delete;

  Future<std::vector<std::string>> task_managers() override;
  Future<std::vector<std::string>> resize(std::uint32_t task_managers) override;
  // Waits for a call that is under way; no other may follow.
  void stop();

 private:
  using Names = std::vector<std::string>;
  Future<Names> call(std::function<Future<Names>(ClusterDeployer&)> what);

  ControlThread& thread_;
  const Configuration configuration_;
  const std::string cluster_id_;
  std::unique_ptr<ChosenDeployer> deployer_;  // of the calling thread
  std::thread calling_;
};

}  // namespace freshet::tool
